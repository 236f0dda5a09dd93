// Plain data behind flags, and release sequences.
// SPDX-License-Identifier: Apache-2.0
#include "corpus_parts.hpp"

namespace acqrel::model::litmus {

using enum observation;

void add_publication(std::vector<entry>& to) {
  const auto add = [&](const char* name, const char* family, const char* summary, const char* text,
                       const expectation& expected) {
    to.push_back(make_entry(name, family, summary, text, expected));
  };

  // ---- plain data
  add("MP+na+ra", "publication", "plain data published by a release store, read behind an acquire load", R"(
P0(int* data, atomic_int* flag) {
  *data = 1;
  atomic_store_explicit(flag, 1, memory_order_release);
}

P1(int* data, atomic_int* flag) {
  int r0 = atomic_load_explicit(flag, memory_order_acquire);
  int r1 = 1;
  if (r0 == 1) { r1 = *data; }
}

exists (1:r0=1 /\ 1:r1=0)
)",
      cxx20(never, 2));
  add("MP+na+rlx", "publication", "plain data behind a relaxed flag: a data race", R"(
P0(int* data, atomic_int* flag) {
  *data = 1;
  atomic_store_explicit(flag, 1, memory_order_relaxed);
}

P1(int* data, atomic_int* flag) {
  int r0 = atomic_load_explicit(flag, memory_order_relaxed);
  int r1 = 1;
  if (r0 == 1) { r1 = *data; }
}

exists (1:r0=1 /\ 1:r1=0)
)",
      races(sometimes, 3));
  add("MP+na+f.ra", "publication", "plain data published through fences and a relaxed flag", R"(
P0(int* data, atomic_int* flag) {
  *data = 1;
  atomic_thread_fence(memory_order_release);
  atomic_store_explicit(flag, 1, memory_order_relaxed);
}

P1(int* data, atomic_int* flag) {
  int r0 = atomic_load_explicit(flag, memory_order_relaxed);
  int r1 = 1;
  if (r0 == 1) {
    atomic_thread_fence(memory_order_acquire);
    r1 = *data;
  }
}

exists (1:r0=1 /\ 1:r1=0)
)",
      cxx20(never, 2));
  add("MP+ctrl", "publication", "a branch on the flag does not order the read behind it: only acquire does", R"(
P0(atomic_int* data, atomic_int* flag) {
  atomic_store_explicit(data, 1, memory_order_relaxed);
  atomic_store_explicit(flag, 1, memory_order_release);
}

P1(atomic_int* data, atomic_int* flag) {
  int r0 = atomic_load_explicit(flag, memory_order_relaxed);
  int r1 = 1;
  if (r0 == 1) { r1 = atomic_load_explicit(data, memory_order_relaxed); }
}

exists (1:r0=1 /\ 1:r1=0)
)",
      cxx20(sometimes, 3));
  add("seqlock", "publication", "a sequence lock's reader: the same even count before and after means no torn value",
      R"(
P0(atomic_int* seq, atomic_int* x, atomic_int* y) {
  atomic_store_explicit(seq, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_store_explicit(y, 1, memory_order_relaxed);
  atomic_store_explicit(seq, 2, memory_order_release);
}

P1(atomic_int* seq, atomic_int* x, atomic_int* y) {
  int r0 = atomic_load_explicit(seq, memory_order_acquire);
  int r1 = atomic_load_explicit(x, memory_order_relaxed);
  int r2 = atomic_load_explicit(y, memory_order_relaxed);
  atomic_thread_fence(memory_order_acquire);
  int r3 = atomic_load_explicit(seq, memory_order_relaxed);
}

exists ((1:r0=0 /\ 1:r3=0 \/ 1:r0=2 /\ 1:r3=2) /\ (1:r1=0 /\ 1:r2=1 \/ 1:r1=1 /\ 1:r2=0))
)",
      cxx20(never));
  add("seqlock+no-fence", "publication", "the same with an acquire load in place of the reader's fence: torn", R"(
P0(atomic_int* seq, atomic_int* x, atomic_int* y) {
  atomic_store_explicit(seq, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_store_explicit(y, 1, memory_order_relaxed);
  atomic_store_explicit(seq, 2, memory_order_release);
}

P1(atomic_int* seq, atomic_int* x, atomic_int* y) {
  int r0 = atomic_load_explicit(seq, memory_order_acquire);
  int r1 = atomic_load_explicit(x, memory_order_relaxed);
  int r2 = atomic_load_explicit(y, memory_order_relaxed);
  int r3 = atomic_load_explicit(seq, memory_order_acquire);
}

exists ((1:r0=0 /\ 1:r3=0 \/ 1:r0=2 /\ 1:r3=2) /\ (1:r1=0 /\ 1:r2=1 \/ 1:r1=1 /\ 1:r2=0))
)",
      cxx20(sometimes));

  // ---- release sequences
  add("relseq", "release-sequence",
      "what an acquire fence learns from a release store, a later plain store, and an exchange between", R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_store_explicit(y, 1, memory_order_release);
  atomic_store_explicit(y, 2, memory_order_relaxed);
}

P1(atomic_int* y) {
  int r0 = atomic_exchange_explicit(y, 3, memory_order_relaxed);
}

P2(atomic_int* x, atomic_int* y) {
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
  atomic_thread_fence(memory_order_acq_rel);
  int r1 = atomic_load_explicit(x, memory_order_relaxed);
}

exists (2:r0=2 /\ 2:r1=0)
)",
      cxx20(sometimes, 20));
  add("relseq20", "release-sequence",
      "since C++20 a plain store of the same thread does not continue a release sequence: a data race (C++11: none)",
      R"(
P0(int* data, atomic_int* flag) {
  *data = 1;
  atomic_store_explicit(flag, 1, memory_order_release);
  atomic_store_explicit(flag, 2, memory_order_relaxed);
}

P1(int* data, atomic_int* flag) {
  int r0 = atomic_load_explicit(flag, memory_order_acquire);
  int r1 = 1;
  if (r0 == 2) { r1 = *data; }
}

exists (1:r0=2 /\ 1:r1=0)
)",
      races(sometimes, 4));
  add("relseq+rmw", "release-sequence", "a relaxed read-modify-write of another thread continues the release sequence",
      R"(
P0(int* data, atomic_int* flag) {
  *data = 1;
  atomic_store_explicit(flag, 1, memory_order_release);
}

P1(atomic_int* flag) {
  int r0 = atomic_fetch_add_explicit(flag, 1, memory_order_relaxed);
}

P2(int* data, atomic_int* flag) {
  int r0 = atomic_load_explicit(flag, memory_order_acquire);
  int r1 = 1;
  if (r0 == 2) { r1 = *data; }
}

exists (2:r0=2 /\ 2:r1=0)
)",
      cxx20(never, 6));
  add("relseq+cas", "release-sequence",
      "the same with a relaxed compare-exchange: what a Treiber stack's pop relies on", R"(
{ [seen]=1; }

P0(int* data, atomic_int* flag) {
  *data = 1;
  atomic_store_explicit(flag, 1, memory_order_release);
}

P1(atomic_int* flag, int* seen) {
  int r0 = atomic_compare_exchange_strong_explicit(flag, seen, 2, memory_order_relaxed, memory_order_relaxed);
}

P2(int* data, atomic_int* flag) {
  int r0 = atomic_load_explicit(flag, memory_order_acquire);
  int r1 = 1;
  if (r0 == 2) { r1 = *data; }
}

exists (2:r0=2 /\ 2:r1=0)
)",
      cxx20(never, 5));
  add("relseq+store", "release-sequence", "a relaxed store of another thread breaks the release sequence: a data race",
      R"(
P0(int* data, atomic_int* flag) {
  *data = 1;
  atomic_store_explicit(flag, 1, memory_order_release);
}

P1(atomic_int* flag) {
  int r0 = atomic_load_explicit(flag, memory_order_relaxed);
  if (r0 == 1) { atomic_store_explicit(flag, 2, memory_order_relaxed); }
}

P2(int* data, atomic_int* flag) {
  int r0 = atomic_load_explicit(flag, memory_order_acquire);
  int r1 = 1;
  if (r0 == 2) { r1 = *data; }
}

exists (2:r0=2 /\ 2:r1=0)
)",
      races(sometimes, 6));
  add("viktor-relseq", "release-sequence",
      "six increments by four threads: every order that the threads leave open, once", R"(
P0(atomic_int* x) {
  int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed);
  int r1 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed);
}

P1(atomic_int* x) {
  int r0 = atomic_fetch_add_explicit(x, 1, memory_order_acquire);
  int r1 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed);
}

P2(atomic_int* x) {
  int r0 = atomic_fetch_add_explicit(x, 1, memory_order_release);
}

P3(atomic_int* x) {
  int r0 = atomic_fetch_add_explicit(x, 1, memory_order_relaxed);
}

exists (0:r0=3 /\ 1:r0=1 /\ 2:r0=0 /\ 3:r0=5)
)",
      cxx20(sometimes, 180));
}

}  // namespace acqrel::model::litmus
