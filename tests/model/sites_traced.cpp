// What sites_test.cpp resolves: instrumented code in every form a tag may stand in. Each line that is looked for says its
// name behind `at:`.
// SPDX-License-Identifier: Apache-2.0
#include "sites_traced.hpp"

#include <atomic>

namespace traced {
namespace {

std::atomic<int> word;
std::atomic<int> other;

int inlined_into_two() {
  // edge traced.inlined: acquire
  return word.load(std::memory_order_acquire);  // at: inlined
}

}  // namespace

void run() {
  int seen = 0;

  // edge traced.store: release
  word.store(1, std::memory_order_release);  // at: store

  // edge traced.wide: acq_rel / acquire  what it carries may be said
  // in words that go on, of release and acquire, edge or not
  while (!word.compare_exchange_strong(seen, 2,  // at: wide
                                       std::memory_order_acq_rel, std::memory_order_acquire)) {
  }

  // edge traced.claim: acquire  / plain: tried again
  if (seen != 7 &&
      !word.compare_exchange_strong(seen, 3, std::memory_order_acquire, std::memory_order_relaxed)) {  // at: claim
    seen = 0;
  }

  // edge traced.left: seq_cst  shape SB
  // edge traced.right: seq_cst  shape SB
  word.exchange(4, std::memory_order_seq_cst);  // at: two

  // edge traced.out: release
  // edge traced.in: acquire
  word.fetch_add(1, std::memory_order_acq_rel);  // at: both

  // edge traced.first: acquire
  seen = word.load(std::memory_order_acquire) +  // at: first
         // plain: a look
         other.load(std::memory_order_relaxed);  // at: plain

  word.store(5, std::memory_order_release);   // edge traced.behind: release   at: behind
  other.store(6, std::memory_order_relaxed);  // at: untagged

  // edge traced.fence: seq_cst  shape SB
  std::atomic_thread_fence(std::memory_order_seq_cst);  // at: fence

  other.store(inlined_into_two(), std::memory_order_relaxed);  // at: caller
  other.store(inlined_into_two(), std::memory_order_relaxed);
}

#line 7 "gone/away.cpp"
void run_what_is_gone() { word.store(7, std::memory_order_release); }

}  // namespace traced
