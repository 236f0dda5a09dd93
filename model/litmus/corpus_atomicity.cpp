// Read-modify-writes, locks, and compare-exchanges that fail.
// SPDX-License-Identifier: Apache-2.0
#include "corpus_parts.hpp"

namespace acqrel::model::litmus {

using enum observation;

void add_atomicity(std::vector<entry>& to) {
  const auto add = [&](const char* name, const char* family, const char* summary, const char* text,
                       const expectation& expected) {
    to.push_back(make_entry(name, family, summary, text, expected));
  };

  // ---- read-modify-writes
  add("2xFAA", "atomicity", "two increments make two", R"(
P0(atomic_int* x) { int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed); }

P1(atomic_int* x) { int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed); }

exists ([x]=1)
)",
      cxx20(never, 2));
  add("5xFAA", "atomicity", "five increments make five, in any order", R"(
P0(atomic_int* x) { int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed); }

P1(atomic_int* x) { int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed); }

P2(atomic_int* x) { int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed); }

P3(atomic_int* x) { int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed); }

P4(atomic_int* x) { int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed); }

forall ([x]=5)
)",
      cxx20(always, 120));
  add("lost-update", "atomicity", "a load and a store are not an increment, not even seq_cst ones", R"(
P0(atomic_int* x) {
  int r0 = atomic_load_explicit(x, memory_order_seq_cst);
  atomic_store_explicit(x, r0 + 1, memory_order_seq_cst);
}

P1(atomic_int* x) {
  int r0 = atomic_load_explicit(x, memory_order_seq_cst);
  atomic_store_explicit(x, r0 + 1, memory_order_seq_cst);
}

exists ([x]=1)
)",
      cxx20(sometimes, 4));
  add("FAA+store", "atomicity", "no store comes between the two halves of a read-modify-write", R"(
P0(atomic_int* x) { int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed); }

P1(atomic_int* x) { atomic_store_explicit(x, 2, memory_order_relaxed); }

exists (0:r0=0 /\ [x]=1)
)",
      cxx20(never, 2));
  add("CAS-once", "atomicity", "of two compare-exchanges from 0 one succeeds", R"(
P0(atomic_int* x, int* zero0) {
  int r0 = atomic_compare_exchange_strong_explicit(x, zero0, 1, memory_order_relaxed, memory_order_relaxed);
}

P1(atomic_int* x, int* zero1) {
  int r0 = atomic_compare_exchange_strong_explicit(x, zero1, 2, memory_order_relaxed, memory_order_relaxed);
}

exists (0:r0=1 /\ 1:r0=1 \/ 0:r0=0 /\ 1:r0=0)
)",
      cxx20(never, 2));
  add("D-cas-fail-stale", "atomicity", "a compare-exchange that fails is a load, and may see an old value", R"(
{ [seen]=5; }

P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_store_explicit(y, 1, memory_order_relaxed);
}

P1(atomic_int* x, atomic_int* y, int* seen) {
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
  int r1 = atomic_compare_exchange_strong_explicit(x, seen, 9, memory_order_relaxed, memory_order_relaxed);
  int r2 = *seen;
}

exists (1:r0=1 /\ 1:r2=0)
)",
      cxx20(sometimes, 4));
  add("D-cas-fail-race", "atomicity", "failing with a relaxed order and then reading what was published: a data race",
      R"(
P0(int* data, atomic_int* head) {
  *data = 1;
  atomic_store_explicit(head, 1, memory_order_release);
}

P1(int* data, atomic_int* head, int* seen) {
  int r0 = atomic_compare_exchange_strong_explicit(head, seen, 2, memory_order_acq_rel, memory_order_relaxed);
  int r1 = 1;
  if (r0 == 0) { r1 = *data; }
}

exists (1:r0=0 /\ 1:r1=0)
)",
      races(sometimes, 3));
  add("D-cas-fail-acquire", "atomicity", "the same with acquire on failure: no race", R"(
P0(int* data, atomic_int* head) {
  *data = 1;
  atomic_store_explicit(head, 1, memory_order_release);
}

P1(int* data, atomic_int* head, int* seen) {
  int r0 = atomic_compare_exchange_strong_explicit(head, seen, 2, memory_order_acq_rel, memory_order_acquire);
  int r1 = 1;
  if (r0 == 0) { r1 = *data; }
}

exists (1:r0=0 /\ 1:r1=0)
)",
      cxx20(never, 2));
  add("trylock", "atomicity", "a lock of one word, one try each: acquire to take it, release to leave it", R"(
P0(int* data, atomic_int* lock) {
  int r0 = atomic_exchange_explicit(lock, 1, memory_order_acquire);
  if (r0 == 0) {
    int r1 = *data;
    *data = r1 + 1;
    atomic_store_explicit(lock, 0, memory_order_release);
  }
}

P1(int* data, atomic_int* lock) {
  int r0 = atomic_exchange_explicit(lock, 1, memory_order_acquire);
  if (r0 == 0) {
    int r1 = *data;
    *data = r1 + 1;
    atomic_store_explicit(lock, 0, memory_order_release);
  }
}

exists (0:r0=0 /\ 1:r0=0 /\ [data]=1)
)",
      cxx20(never));
  add("trylock+rlx", "atomicity", "the same lock, relaxed: it excludes, but it publishes nothing", R"(
P0(int* data, atomic_int* lock) {
  int r0 = atomic_exchange_explicit(lock, 1, memory_order_relaxed);
  if (r0 == 0) {
    int r1 = *data;
    *data = r1 + 1;
    atomic_store_explicit(lock, 0, memory_order_relaxed);
  }
}

P1(int* data, atomic_int* lock) {
  int r0 = atomic_exchange_explicit(lock, 1, memory_order_relaxed);
  if (r0 == 0) {
    int r1 = *data;
    *data = r1 + 1;
    atomic_store_explicit(lock, 0, memory_order_relaxed);
  }
}

exists (0:r0=0 /\ 1:r0=0 /\ [data]=1)
)",
      races(sometimes));
}

}  // namespace acqrel::model::litmus
