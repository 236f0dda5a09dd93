// SPDX-License-Identifier: Apache-2.0
#include "outside_blocks.hpp"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

// The C library's own: what is noted here is noted by malloc.
extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void __libc_free(void*) noexcept;
}

namespace acqrel::model {
namespace {

struct note {
  note* next;
  void* block;
};
// Many lists, so that nearly every block that was never noted falls on an empty one: the checker itself frees a lot.
std::array<std::atomic<note*>, 1u << 16> lists;
std::atomic<std::size_t> notes = 0;
std::atomic_flag writing = ATOMIC_FLAG_INIT;

std::atomic<note*>& list_of(const void* p) {
  constexpr std::uint64_t golden = 0x9e37'79b9'7f4a'7c15;
  return lists[(reinterpret_cast<std::uintptr_t>(p) >> 4) * golden >> 48];
}

/// A mutex would be one of ours.
struct only_writer {
  only_writer() {
    while (writing.test_and_set(std::memory_order_acquire)) asm volatile("pause");
  }
  ~only_writer() { writing.clear(std::memory_order_release); }
};

}  // namespace

void note_outside_block(void* p) {
  if (p == nullptr) return;
  auto* const made = static_cast<note*>(__libc_malloc(sizeof(note)));
  if (made == nullptr) return;
  const only_writer lock;
  std::atomic<note*>& list = list_of(p);
  *made = {list.load(std::memory_order_relaxed), p};
  list.store(made, std::memory_order_relaxed);
  notes.fetch_add(1, std::memory_order_relaxed);
}

void forget_outside_block(void* p) {
  std::atomic<note*>& list = list_of(p);
  // Who frees a block knows that it was allocated, and so its note.
  if (list.load(std::memory_order_relaxed) == nullptr) return;
  note* found = nullptr;
  {
    const only_writer lock;
    note* before = nullptr;
    for (found = list.load(std::memory_order_relaxed); found != nullptr && found->block != p; found = found->next)
      before = found;
    if (found == nullptr) return;
    if (before == nullptr)
      list.store(found->next, std::memory_order_relaxed);
    else
      before->next = found->next;
    notes.fetch_sub(1, std::memory_order_relaxed);
  }
  __libc_free(found);
}

std::vector<range> outside_blocks() {
  std::vector<void*> blocks;
  blocks.reserve(notes.load(std::memory_order_relaxed));  // no other thread runs now, and to grow would be to free
  {
    const only_writer lock;
    for (const std::atomic<note*>& list : lists)
      for (const note* n = list.load(std::memory_order_relaxed); n != nullptr; n = n->next) blocks.push_back(n->block);
  }
  std::sort(blocks.begin(), blocks.end());
  std::vector<range> all;
  all.reserve(blocks.size());
  for (void* p : blocks) all.push_back({static_cast<char*>(p), static_cast<char*>(p) + malloc_usable_size(p)});
  return all;
}

}  // namespace acqrel::model
