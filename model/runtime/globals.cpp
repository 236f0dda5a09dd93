// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <vector>

#include "block_copy.hpp"
#include "fiber.hpp"
#include "modules.hpp"

namespace acqrel::model {
namespace {

/// Memory to put back in one go. Zeros are cleared, which takes half the time of a copy and is most of a big .bss.
/// (To compare first and leave alone what did not change takes as long as the copy.)
struct piece {
  char* memory;
  std::size_t size;
  char* image;  ///< null: zeros
};

constexpr std::size_t chunk = 4096;

struct remembered {
  std::vector<range> segments;
  std::vector<char> images;
  std::vector<piece> pieces;

  /// Joins a chunk to the last piece if it is of the same sort. `image` is where its copy will be.
  void add(char* memory, std::size_t size, char* image) {
    if (std::all_of(memory, memory + size, [](char c) { return c == 0; })) image = nullptr;
    if (!pieces.empty() && pieces.back().memory + pieces.back().size == memory &&
        (pieces.back().image == nullptr) == (image == nullptr))
      pieces.back().size += size;
    else
      pieces.push_back({memory, size, image});
  }
};
remembered* known = nullptr;

}  // namespace

void remember_globals() {
  if (known == nullptr) known = new remembered;
  known->segments.clear();
  known->pieces.clear();
  std::size_t total = 0;
  for (const module& m : modules())
    if (m.part == module::role::checked)
      for (const range& w : m.writable) {
        known->segments.push_back(w);
        total += w.size();
      }
  known->images.resize(total);

  char* image = known->images.data();
  for (const range& s : known->segments)
    for (char* memory = s.first; memory < s.last;) {
      const std::size_t size = std::min(chunk, static_cast<std::size_t>(s.last - memory));
      known->add(memory, size, image);
      memory += size;
      image += size;
    }
  for (const piece& p : known->pieces)
    if (p.image != nullptr) copy_block(p.image, p.memory, p.size);
}

void restore_globals() {
  for (const piece& p : known->pieces)
    if (p.image != nullptr)
      copy_block(p.memory, p.image, p.size);
    else
      clear_block(p.memory, p.size);
}

bool is_global(const void* p) {
  if (known == nullptr) return false;
  for (const range& s : known->segments)
    if (s.contains(p)) return true;
  return false;
}

}  // namespace acqrel::model
