// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <vector>

#include "block_copy.hpp"
#include "fiber.hpp"
#include "modules.hpp"
#include "outside_blocks.hpp"

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

/// Those blocks that a pointer in a segment, or in such a block, leads to: what a global string or map has on the heap.
std::vector<range> blocks_owned_by(const std::vector<range>& segments) {
  std::vector<range> blocks = outside_blocks(), owned, to_scan = segments;
  std::vector<bool> found(blocks.size());
  while (!to_scan.empty()) {
    const range r = to_scan.back();
    to_scan.pop_back();
    for (auto* word = reinterpret_cast<char* const*>(r.first); reinterpret_cast<const char*>(word + 1) <= r.last;
         ++word) {
      const auto after = std::upper_bound(blocks.begin(), blocks.end(), *word,
                                          [](const char* at, const range& block) { return at < block.first; });
      if (after == blocks.begin() || !after[-1].contains(*word)) continue;
      const auto n = static_cast<std::size_t>(after - blocks.begin() - 1);
      if (found[n]) continue;
      found[n] = true;
      owned.push_back(blocks[n]);
      to_scan.push_back(blocks[n]);
    }
  }
  return owned;
}

}  // namespace

void remember_globals() {
  if (known == nullptr) known = new remembered;
  known->segments.clear();
  known->pieces.clear();
  for (const module& m : modules())
    if (m.part == module::role::checked)
      known->segments.insert(known->segments.end(), m.writable.begin(), m.writable.end());
  std::vector<range> all = known->segments;
  const std::vector<range> owned = blocks_owned_by(known->segments);
  all.insert(all.end(), owned.begin(), owned.end());
  std::size_t total = 0;
  for (const range& r : all) total += r.size();
  known->images.resize(total);

  char* image = known->images.data();
  for (const range& r : all)
    for (char* memory = r.first; memory < r.last;) {
      const std::size_t size = std::min(chunk, static_cast<std::size_t>(r.last - memory));
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
