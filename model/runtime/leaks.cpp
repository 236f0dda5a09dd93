// Blocks that are left over when every thread has ended: those that no pointer leads to.
// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <map>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "blocks.hpp"
#include "memory.hpp"
#include "modules.hpp"
#include "outside_blocks.hpp"
#include "sites.hpp"
#include "thread_storage.hpp"

namespace acqrel::model {
namespace {

/// What thread 0 has: its blocks lie right below its thread pointer, each with less than a page of padding.
range thread_local_objects_of_the_test() {
  std::size_t size = 0;
  for (const module& m : modules()) size += m.tls_size == 0 ? 0 : (m.tls_size + 63) / 64 * 64;
  char* const end = reinterpret_cast<char*>(thread_pointer_of(0));
  return {end - size, end};
}

}  // namespace

std::string leaks() {
  std::unordered_set<const block*> reached;
  std::vector<range> to_scan;
  for (const module& m : modules())
    if (m.part != module::role::other) to_scan.insert(to_scan.end(), m.writable.begin(), m.writable.end());
  // What a global had on the heap before the test may hold a block of the test.
  for (const range& block : outside_blocks()) to_scan.push_back(block);
  to_scan.push_back(thread_local_objects_of_the_test());
  while (!to_scan.empty()) {
    const range r = to_scan.back();
    to_scan.pop_back();
    constexpr std::size_t word = sizeof(void*);
    const auto first = (reinterpret_cast<std::uintptr_t>(r.first) + word - 1) / word * word;
    const auto last = reinterpret_cast<std::uintptr_t>(r.last) / word * word;
    for (auto at = first; at < last; at += word) {
      const char* p = nullptr;
      std::memcpy(&p, reinterpret_cast<const void*>(at), word);
      if (!in_arena(p)) continue;
      const block* const b = block_before(p);
      if (b == nullptr || b->freed || p > b->start + b->size) continue;  // one past the end still holds it
      if (reached.insert(b).second) to_scan.push_back({b->start, b->start + b->size});
    }
  }
  std::map<std::tuple<unsigned, std::string, std::size_t>, std::size_t> lost;  // thread, site, size: how many
  std::size_t blocks = 0, bytes = 0;
  for (unsigned t = 0; t < max_threads; ++t)
    for (const block& b : blocks_of(static_cast<thread_id>(t))) {
      if (b.freed || reached.contains(&b)) continue;
      ++lost[{b.made.thread, site_of(b.made.site).brief(), b.size}];
      ++blocks;
      bytes += b.size;
    }
  if (lost.empty()) return {};
  std::string text = plural(blocks, "block") + " of " + plural(bytes, "byte") +
                     (blocks == 1 ? " was" : " in all were") + " never freed:";
  for (const auto& [of, count] : lost) {
    const auto& [thread, site, size] = of;
    text += "\n  " + plural(count, "block") + " of " + plural(size, "byte") + " allocated by thread " +
            std::to_string(thread) + " at " + site;
  }
  return text;
}

}  // namespace acqrel::model
