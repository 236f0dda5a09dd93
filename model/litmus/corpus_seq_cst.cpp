// What seq_cst orders and what it does not, Dekker's idea, and what needs no seq_cst.
// SPDX-License-Identifier: Apache-2.0
#include "corpus_parts.hpp"

namespace acqrel::model::litmus {

using enum observation;

void add_seq_cst(std::vector<entry>& to) {
  const auto add = [&](const char* name, const char* family, const char* summary, const char* text,
                       const expectation& expected) {
    to.push_back(make_entry(name, family, summary, text, expected));
  };

  // ---- seq_cst
  add("Z6.U", "seq_cst", "a seq_cst read-modify-write and a release store on one object order less than one thinks", R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_seq_cst);
  atomic_store_explicit(y, 1, memory_order_release);
}

P1(atomic_int* y) {
  int r0 = atomic_fetch_add_explicit(y, 1, memory_order_seq_cst);
  int r1 = atomic_load_explicit(y, memory_order_relaxed);
}

P2(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 3, memory_order_seq_cst);
  int r0 = atomic_load_explicit(x, memory_order_seq_cst);
}

exists (1:r0=1 /\ 1:r1=3 /\ 2:r0=0)
)",
      cxx20(sometimes, 24));
  add("D-scfence-nosync", "seq_cst",
      "a seq_cst fence that comes before another in their order does not synchronise with it", R"(
P0(int* data, atomic_int* y, atomic_int* z) {
  *data = 1;
  atomic_thread_fence(memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
  if (r0 == 0) { atomic_store_explicit(z, 1, memory_order_relaxed); }
}

P1(int* data, atomic_int* y, atomic_int* z) {
  atomic_store_explicit(y, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  int r0 = atomic_load_explicit(z, memory_order_relaxed);
  int r1 = 1;
  if (r0 == 1) { r1 = *data; }
}

exists (1:r0=1 /\ 1:r1=0)
)",
      races(never, 3));
  add("2+2W+3sc+rel", "seq_cst", "2+2W with one release store among three seq_cst ones: allowed", R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_seq_cst);
  atomic_store_explicit(y, 2, memory_order_seq_cst);
}

P1(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 1, memory_order_release);
  atomic_store_explicit(x, 2, memory_order_seq_cst);
}

exists ([x]=1 /\ [y]=1)
)",
      cxx20(sometimes, 4));
  add("SB+3sc+rel", "seq_cst", "store buffering with one release store among seq_cst accesses: allowed", R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_seq_cst);
}

P1(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 1, memory_order_release);
  int r0 = atomic_load_explicit(x, memory_order_seq_cst);
}

exists (0:r0=0 /\ 1:r0=0)
)",
      cxx20(sometimes, 4));
  add("SB+3sc+acq", "seq_cst", "store buffering with one acquire load among seq_cst accesses: allowed", R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_seq_cst);
}

P1(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 1, memory_order_seq_cst);
  int r0 = atomic_load_explicit(x, memory_order_acquire);
}

exists (0:r0=0 /\ 1:r0=0)
)",
      cxx20(sometimes, 4));

  // ---- Dekker: store buffering with unlike halves
  add("dekker+f.sc+sc", "dekker", "a seq_cst fence on one side, seq_cst accesses on the other", R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
}

P1(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 1, memory_order_seq_cst);
  int r0 = atomic_load_explicit(x, memory_order_seq_cst);
}

exists (0:r0=0 /\ 1:r0=0)
)",
      cxx20(never, 3));
  add("dekker+f.sc+f.ar", "dekker", "a seq_cst fence on one side, an acq_rel fence on the other", R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
}

P1(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_acq_rel);
  int r0 = atomic_load_explicit(x, memory_order_relaxed);
}

exists (0:r0=0 /\ 1:r0=0)
)",
      cxx20(sometimes, 4));
  add("dekker+f.sc+ra", "dekker", "a seq_cst fence on one side only", R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
}

P1(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 1, memory_order_release);
  int r0 = atomic_load_explicit(x, memory_order_acquire);
}

exists (0:r0=0 /\ 1:r0=0)
)",
      cxx20(sometimes, 4));
  add("dekker+f.sc+sc.acq", "dekker", "a seq_cst fence on one side, a seq_cst store with an acquire load on the other",
      R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
}

P1(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 1, memory_order_seq_cst);
  int r0 = atomic_load_explicit(x, memory_order_acquire);
}

exists (0:r0=0 /\ 1:r0=0)
)",
      cxx20(sometimes, 4));
  add("dekker+xchg", "dekker",
      "acq_rel exchanges in place of the stores are no fences in C++, whatever x86 makes of them", R"(
P0(atomic_int* x, atomic_int* y) {
  int r0 = atomic_exchange_explicit(x, 1, memory_order_acq_rel);
  int r1 = atomic_load_explicit(y, memory_order_acquire);
}

P1(atomic_int* x, atomic_int* y) {
  int r0 = atomic_exchange_explicit(y, 1, memory_order_acq_rel);
  int r1 = atomic_load_explicit(x, memory_order_acquire);
}

exists (0:r1=0 /\ 1:r1=0)
)",
      cxx20(sometimes, 4));
  add("dekker+rmw", "dekker", "acq_rel read-modify-writes for the stores and the loads: forbidden without any seq_cst",
      R"(
P0(atomic_int* x, atomic_int* y) {
  int r0 = atomic_exchange_explicit(x, 1, memory_order_acq_rel);
  int r1 = atomic_fetch_add_explicit(y, 0, memory_order_acq_rel);
}

P1(atomic_int* x, atomic_int* y) {
  int r0 = atomic_exchange_explicit(y, 1, memory_order_acq_rel);
  int r1 = atomic_fetch_add_explicit(x, 0, memory_order_acq_rel);
}

exists (0:r1=0 /\ 1:r1=0)
)",
      cxx20(never, 3));
  add("peterson+sc", "dekker", "Peterson's lock, one try each, seq_cst: one critical section at a time", R"(
P0(atomic_int* x, atomic_int* y, atomic_int* turn, int* data) {
  atomic_store_explicit(x, 1, memory_order_seq_cst);
  atomic_store_explicit(turn, 1, memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_seq_cst);
  int r1 = atomic_load_explicit(turn, memory_order_seq_cst);
  int r2 = 0;
  if (r0 == 0 || r1 == 0) {
    r2 = 1;
    *data = 1;
  }
}

P1(atomic_int* x, atomic_int* y, atomic_int* turn, int* data) {
  atomic_store_explicit(y, 1, memory_order_seq_cst);
  atomic_store_explicit(turn, 0, memory_order_seq_cst);
  int r0 = atomic_load_explicit(x, memory_order_seq_cst);
  int r1 = atomic_load_explicit(turn, memory_order_seq_cst);
  int r2 = 0;
  if (r0 == 0 || r1 == 1) {
    r2 = 1;
    *data = 2;
  }
}

exists (0:r2=1 /\ 1:r2=1)
)",
      cxx20(never));
  add("peterson+ra", "dekker", "Peterson's lock with release and acquire: both get in", R"(
P0(atomic_int* x, atomic_int* y, atomic_int* turn, int* data) {
  atomic_store_explicit(x, 1, memory_order_release);
  atomic_store_explicit(turn, 1, memory_order_release);
  int r0 = atomic_load_explicit(y, memory_order_acquire);
  int r1 = atomic_load_explicit(turn, memory_order_acquire);
  int r2 = 0;
  if (r0 == 0 || r1 == 0) {
    r2 = 1;
    *data = 1;
  }
}

P1(atomic_int* x, atomic_int* y, atomic_int* turn, int* data) {
  atomic_store_explicit(y, 1, memory_order_release);
  atomic_store_explicit(turn, 0, memory_order_release);
  int r0 = atomic_load_explicit(x, memory_order_acquire);
  int r1 = atomic_load_explicit(turn, memory_order_acquire);
  int r2 = 0;
  if (r0 == 0 || r1 == 1) {
    r2 = 1;
    *data = 2;
  }
}

exists (0:r2=1 /\ 1:r2=1)
)",
      races(sometimes));

  // ---- what the explanations of the shapes recommend
  add("R+xchg", "remedies", "R with an exchange in place of the overwriting store: release and acquire are enough", R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_store_explicit(y, 1, memory_order_release);
}

P1(atomic_int* y, atomic_int* x) {
  int r0 = atomic_exchange_explicit(y, 2, memory_order_acq_rel);
  int r1 = atomic_load_explicit(x, memory_order_relaxed);
}

exists ([y]=2 /\ 1:r1=0)
)",
      cxx20(never, 3));
  add("Z6+xchg", "remedies", "Z6 with an exchange in place of the overwriting store: release and acquire are enough",
      R"(
P0(atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_store_explicit(y, 1, memory_order_release);
}

P1(atomic_int* y, atomic_int* z) {
  int r0 = atomic_load_explicit(y, memory_order_acquire);
  atomic_store_explicit(z, 1, memory_order_release);
}

P2(atomic_int* z, atomic_int* x) {
  int r0 = atomic_exchange_explicit(z, 2, memory_order_acq_rel);
  int r1 = atomic_load_explicit(x, memory_order_relaxed);
}

exists (1:r0=1 /\ [z]=2 /\ 2:r1=0)
)",
      cxx20(never, 7));
  add("LB+one-ra", "remedies", "load buffering with release and acquire at one hand-over: forbidden by the letter too",
      R"(
P0(atomic_int* x, atomic_int* y) {
  int r0 = atomic_load_explicit(x, memory_order_relaxed);
  atomic_store_explicit(y, 1, memory_order_release);
}

P1(atomic_int* y, atomic_int* x) {
  int r0 = atomic_load_explicit(y, memory_order_acquire);
  atomic_store_explicit(x, 1, memory_order_relaxed);
}

exists (0:r0=1 /\ 1:r0=1)
)",
      cxx20(never, 3));
  to.back().expected.push_back({memory_model::iso, never, 3, false});
}

}  // namespace acqrel::model::litmus
