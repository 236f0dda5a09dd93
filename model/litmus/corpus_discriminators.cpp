// Programs on which tools, standards or habits of thought differ.
// SPDX-License-Identifier: Apache-2.0
#include "corpus_parts.hpp"

namespace acqrel::model::litmus {

namespace {

using enum observation;

expectation cxx20(observation seen, std::optional<std::uint64_t> executions = {}) {
  return {memory_model::cxx20, seen, executions, false};
}
expectation races(observation seen, std::optional<std::uint64_t> executions = {}) {
  return {memory_model::cxx20, seen, executions, true};
}

// What an entry lacks to be a test: "C name", the summary as a comment, and the initial state if there is none.
entry make(const char* name, const char* family, const char* summary, const std::string& text, expectation expected) {
  const std::string init = text.find("\n{") == 0 ? "" : "\n{}\n";
  return {name, family, summary, std::string("C ") + name + "\n(* " + summary + " *)" + init + text, {expected}, {}};
}

}  // namespace

void add_discriminators(std::vector<entry>& to) {
  const auto add = [&](const char* name, const char* family, const char* summary, const char* text,
                       expectation expected) { to.push_back(make(name, family, summary, text, expected)); };

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
