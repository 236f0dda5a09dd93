// The arenas: where blocks lie, and who made and freed them.
// SPDX-License-Identifier: Apache-2.0
#include "memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <vector>

#include "blocks.hpp"
#include "sites.hpp"

namespace acqrel::model {
namespace {

constexpr std::size_t arena_size = std::size_t{64} << 20;
constexpr std::size_t unit = 16;                     // of alignment and size
constexpr std::size_t gap = 16;                      // at least so much between two blocks: touching it is an error
constexpr int fresh = 0xa5;                          // what new blocks are filled with: no address looks like it
constexpr std::uintptr_t wanted = 0x1000'0000'0000;  // far from where the kernel puts anything by itself

struct arena {
  std::size_t used = 0;
  std::vector<block> blocks;                         // by address
  std::vector<std::pair<unsigned, unsigned>> freed;  // by this thread, oldest first: arena and number of a block
};

char* base = nullptr;
std::array<arena, max_threads> arenas;
bool reuse = false;

/// Where the arenas are is of no matter; that it is the same in every run is.
void reserve() {
  void* p = mmap(reinterpret_cast<void*>(wanted), max_threads * arena_size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  base = static_cast<char*>(p);
}

std::size_t offset_of(const void* p) { return static_cast<std::size_t>(static_cast<const char*>(p) - base); }

/// Number of blocks in the arena around `p` that start at or before it.
std::size_t blocks_up_to(const arena& a, const void* p) {
  const auto after = std::upper_bound(a.blocks.begin(), a.blocks.end(), p,
                                      [](const void* at, const block& b) { return at < b.start; });
  return static_cast<std::size_t>(after - a.blocks.begin());
}

block* take_freed(arena& mine, std::size_t room, std::size_t alignment) {
  for (std::size_t i = mine.freed.size(); i-- > 0;) {
    block& b = arenas[mine.freed[i].first].blocks[mine.freed[i].second];
    if (b.room != room || reinterpret_cast<std::uintptr_t>(b.start) % alignment != 0) continue;
    mine.freed.erase(mine.freed.begin() + static_cast<std::ptrdiff_t>(i));
    return &b;
  }
  return nullptr;
}

}  // namespace

void begin_memory(bool reuse_blocks) {
  if (base == nullptr) reserve();
  reuse = reuse_blocks;
  for (arena& a : arenas) {
    a.used = 0;
    a.blocks.clear();
    a.freed.clear();
  }
  forget_accesses();
}

bool in_arena(const void* p) { return base != nullptr && offset_of(p) < max_threads * arena_size; }

const std::vector<block>& blocks_of(thread_id t) { return arenas[t].blocks; }

const block* block_before(const void* p) {
  const arena& a = arenas[offset_of(p) / arena_size];
  const std::size_t n = blocks_up_to(a, p);
  return n == 0 ? nullptr : &a.blocks[n - 1];
}

const block* block_after(const void* p) {
  const arena& a = arenas[offset_of(p) / arena_size];
  const std::size_t n = blocks_up_to(a, p);
  return n == a.blocks.size() ? nullptr : &a.blocks[n];
}

void* allocate(std::size_t size, std::size_t alignment, const void* site) {
  const access made = access_by_self(size, writes_it | allocates_it, site);
  wrote_plainly(nullptr, 0);
  arena& mine = arenas[made.thread];
  alignment = std::max(alignment, unit);
  const std::size_t room = (std::max<std::size_t>(size, 1) + unit - 1) / unit * unit;
  if (block* b = reuse ? take_freed(mine, room, alignment) : nullptr; b != nullptr) {
    b->size = size;
    b->freed = false;
    b->made = made;
    renew_block(*b);
    return std::memset(b->start, fresh, size);
  }
  const std::size_t start = (mine.used + gap + alignment - 1) / alignment * alignment;
  if (size > arena_size || start < mine.used || start + room > arena_size - gap)
    bound("memory of thread " + std::to_string(made.thread) + ": " + plural(size, "byte") + " more than its " +
          std::to_string(arena_size >> 20) + " MiB");
  mine.used = start + room;
  char* const p = base + made.thread * arena_size + start;
  mine.blocks.push_back({p, size, room, false, made, {}});
  return std::memset(p, fresh, size);
}

void release(void* p, const void* site) {
  const std::size_t home = offset_of(p) / arena_size;
  const std::size_t n = in_arena(p) ? blocks_up_to(arenas[home], p) : 0;
  block* const b = n == 0 ? nullptr : &arenas[home].blocks[n - 1];
  const auto by = [&] { return "thread " + std::to_string(self()) + " frees at " + site_of(site).brief(); };
  if (b == nullptr || b->start != p)
    fail(
        trouble_kind::bad_free,
        by() + " what is not the start of a block: " + describe(p) + ". Free the pointer that the allocation returned.",
        site);
  if (b->freed)
    fail(trouble_kind::bad_free, by() + " for the second time " + describe(p) + ". One owner must free a block, once.",
         site);
  b->ended = access_by_self(b->size, writes_it | frees_it, site);
  wrote_plainly(nullptr, 0);
  end_block(*b);
  b->freed = true;
  if (reuse) arenas[b->ended.thread].freed.emplace_back(home, n - 1);
}

std::size_t block_size(const void* p) {
  const block* b = in_arena(p) ? block_before(p) : nullptr;
  return b != nullptr && b->contains(p) ? static_cast<std::size_t>(b->start + b->size - static_cast<const char*>(p))
                                        : 0;
}

}  // namespace acqrel::model
