// The quizzes of a long text on Go's atomics (its appendices B and Q, and section 13), asked of C++.
// SPDX-License-Identifier: Apache-2.0
#include "corpus_parts.hpp"

namespace acqrel::model::litmus {

namespace {

using enum observation;

struct quiz {
  const char* name;
  const char* question;
  const char* asked;   // what the text asks, and what it answers
  const char* answer;  // what is right, in C++
  const char* program;
  observation seen;
  std::uint64_t executions;
  bool race;
};

// The question of each is its `exists`: the outcome that should not be.
constexpr quiz quizzes[] = {
    {"B.1", "x = 5, then a channel is closed; who saw it closed prints x: may it print something else?",
     "The text: it prints 5.",
     "Right. Closing is a release store and seeing it closed an acquire load: everything before the close is "
     "visible. x may be plain.",
     R"(
P0(int* x, atomic_int* done) {
  *x = 5;
  atomic_store_explicit(done, 1, memory_order_release);
}

P1(int* x, atomic_int* done) {
  int r0 = atomic_load_explicit(done, memory_order_acquire);
  int r1 = 5;
  if (r0 == 1) { r1 = *x; }
}

exists (1:r0=1 /\ ~(1:r1=5))
)",
     never, 2, false},
    {"B.2", "the channel is closed first and x = 5 comes after: may who saw it closed print something else?",
     "The text: it may print 0 or 5.",
     "Right that 5 is not guaranteed. But x is plain, nothing orders the write and the read, and that is a data "
     "race: in C++ the program has no defined behaviour at all, so \"0 or 5\" promises too much.",
     R"(
P0(int* x, atomic_int* done) {
  atomic_store_explicit(done, 1, memory_order_release);
  *x = 5;
}

P1(int* x, atomic_int* done) {
  int r0 = atomic_load_explicit(done, memory_order_acquire);
  int r1 = 5;
  if (r0 == 1) { r1 = *x; }
}

exists (1:r0=1 /\ ~(1:r1=5))
)",
     sometimes, 3, true},
    {"B.3", "A sets x = 5 and closes ch1; B sees that and closes ch2; C sees that: may C find another x?",
     "The text: C finds 5, by transitivity.",
     "Right: the shape ISA2 with plain data. Happens-before is transitive, through any number of threads.",
     R"(
P0(int* x, atomic_int* ch1) {
  *x = 5;
  atomic_store_explicit(ch1, 1, memory_order_release);
}

P1(atomic_int* ch1, atomic_int* ch2) {
  int r0 = atomic_load_explicit(ch1, memory_order_acquire);
  if (r0 == 1) { atomic_store_explicit(ch2, 1, memory_order_release); }
}

P2(int* x, atomic_int* ch2) {
  int r0 = atomic_load_explicit(ch2, memory_order_acquire);
  int r1 = 5;
  if (r0 == 1) { r1 = *x; }
}

exists (2:r0=1 /\ ~(2:r1=5))
)",
     never, 3, false},
    {"B.4", "a = 1, then b = 1, with release; who sees b == 1, with acquire, prints a: may it print 0?",
     "The text: not in Go, but in C++ with release and acquire it may; Go is stronger here. (And it says that A "
     "prints; B does.)",
     "Wrong. It is message passing, MP+ra: the store to b is a release after the store to a, the load of b that "
     "reads 1 acquires it, so the store to a happens before the load of a, and coherence forbids the old value. "
     "Without the release or without the acquire it may happen (MP+rlx+acq, MP+rel+rlx). What release and acquire "
     "do not give is the order of a store and a later load of another object: SB.",
     R"(
P0(atomic_int* a, atomic_int* b) {
  atomic_store_explicit(a, 1, memory_order_release);
  atomic_store_explicit(b, 1, memory_order_release);
}

P1(atomic_int* a, atomic_int* b) {
  int r0 = atomic_load_explicit(b, memory_order_acquire);
  int r1 = 1;
  if (r0 == 1) { r1 = atomic_load_explicit(a, memory_order_acquire); }
}

exists (1:r0=1 /\ ~(1:r1=1))
)",
     never, 2, false},
    {"B.5", "x = 5 and, later by the clock but without synchronisation, a read of x: may it miss the 5?",
     "The text: it may; y is 5, 0, or in theory something torn in between: a data race.",
     "That, and the race, are right; the rest is wrong in both languages. Go promises that a read of a word-sized "
     "int gives a value that was written: 0 or 5, never torn (a string or a slice may be). In C++ it is undefined, "
     "which is more than a torn value: the compiler may assume that it does not happen.",
     R"(
P0(int* x) { *x = 5; }

P1(int* x) { int r0 = *x; }

exists (~(1:r0=5))
)",
     sometimes, 2, true},
    {"Q.1", "two fields are filled, then a pointer to them is stored: may who loads the pointer find a field empty?",
     "The text: no, it is safe.",
     "Right: the shape MP with plain data, the pointer being the flag. In C++ the store must be release and the "
     "load acquire, and somebody must know when the object may be deleted, which Go leaves to its collector "
     "(snapshot_source).",
     R"(
P0(int* val, int* name, atomic_int* c) {
  *val = 10;
  *name = 7;
  atomic_store_explicit(c, 1, memory_order_release);
}

P1(int* val, int* name, atomic_int* c) {
  int r0 = atomic_load_explicit(c, memory_order_acquire);
  int r1 = 10;
  int r2 = 7;
  if (r0 == 1) {
    r2 = *name;
    r1 = *val;
  }
}

exists (1:r0=1 /\ ~(1:r1=10 /\ 1:r2=7))
)",
     never, 2, false},
    {"Q.2", "the pointer is stored first, the fields are filled after: may who loads the pointer find a field empty?",
     "The text: a race; the reader may see zero fields, then filled ones.", "Right: a data race, and in C++ undefined.",
     R"(
P0(int* val, int* name, atomic_int* c) {
  atomic_store_explicit(c, 1, memory_order_release);
  *val = 10;
  *name = 7;
}

P1(int* val, int* name, atomic_int* c) {
  int r0 = atomic_load_explicit(c, memory_order_acquire);
  int r1 = 10;
  int r2 = 7;
  if (r0 == 1) {
    r2 = *name;
    r1 = *val;
  }
}

exists (1:r0=1 /\ ~(1:r1=10 /\ 1:r2=7))
)",
     sometimes, 5, true},
    {"Q.3", "if (c.load() == nil) c.store(build()): may two threads build?",
     "The text: yes; both see nil, both build, one value sticks.",
     "Right, and worse: the one whose store is overwritten has already returned from its own, so two threads may "
     "go on with two different objects while the cell holds one of them. Q.3+cas is the remedy that the text gives.",
     R"(
P0(atomic_int* c, atomic_int* built) {
  int r0 = atomic_load_explicit(c, memory_order_acquire);
  if (r0 == 0) {
    int r1 = atomic_fetch_add_explicit(built, 1, memory_order_relaxed);
    atomic_store_explicit(c, 1, memory_order_release);
  }
}

P1(atomic_int* c, atomic_int* built) {
  int r0 = atomic_load_explicit(c, memory_order_acquire);
  if (r0 == 0) {
    int r1 = atomic_fetch_add_explicit(built, 1, memory_order_relaxed);
    atomic_store_explicit(c, 2, memory_order_release);
  }
}

exists ([built]=2)
)",
     sometimes, 6, false},
    {"Q.3+cas", "the first compare-exchange from nil wins: may two threads still build?",
     "The text: \"use sync.Once or CAS\", as if they were the same.",
     "One value sticks and both threads can agree on it, but both may still build: the object is made before the "
     "compare-exchange. The loser must also take the winner's (what the failed compare-exchange read, with "
     "acquire) and delete its own. Where building is dear or has effects, only once or a lock will do.",
     R"(
P0(atomic_int* c, atomic_int* built, int* nil0) {
  int r0 = atomic_load_explicit(c, memory_order_acquire);
  if (r0 == 0) {
    int r1 = atomic_fetch_add_explicit(built, 1, memory_order_relaxed);
    int r2 = atomic_compare_exchange_strong_explicit(c, nil0, 1, memory_order_acq_rel, memory_order_acquire);
  }
}

P1(atomic_int* c, atomic_int* built, int* nil1) {
  int r0 = atomic_load_explicit(c, memory_order_acquire);
  if (r0 == 0) {
    int r1 = atomic_fetch_add_explicit(built, 1, memory_order_relaxed);
    int r2 = atomic_compare_exchange_strong_explicit(c, nil1, 2, memory_order_acq_rel, memory_order_acquire);
  }
}

exists ([built]=2)
)",
     sometimes, 6, false},
    {"Q.3+winner", "after a compare-exchange from nil, may two threads go on with different objects?",
     "The text does not say that the loser must look again.",
     "Not if the loser takes what its failed compare-exchange read. r2 and r3 are the object each thread goes on "
     "with.",
     R"(
P0(atomic_int* c, int* nil0) {
  int r0 = atomic_compare_exchange_strong_explicit(c, nil0, 1, memory_order_acq_rel, memory_order_acquire);
  int r2 = 1;
  if (r0 == 0) { r2 = *nil0; }
}

P1(atomic_int* c, int* nil1) {
  int r0 = atomic_compare_exchange_strong_explicit(c, nil1, 2, memory_order_acq_rel, memory_order_acquire);
  int r2 = 2;
  if (r0 == 0) { r2 = *nil1; }
}

exists (~(0:r2=1 /\ 1:r2=1 \/ 0:r2=2 /\ 1:r2=2))
)",
     never, 2, false},
    {"Q.4", "may a compare-and-swap from nil succeed with a value of the wrong type, in a cell without a type?",
     "The text: a typed pointer refuses to compile; with the untyped atomic.Value it would compile \"but panic at "
     "runtime\".",
     "The first half is right, and std::atomic<A*> refuses too. The second is wrong on an empty cell: there is no "
     "type yet to disagree with, so the swap succeeds, and who expects an A meets a B. Here the cell holds the "
     "type: 0 empty, 1 an A, 2 a B.",
     R"(
P0(atomic_int* cell, int* nil0) {
  int r0 = atomic_compare_exchange_strong_explicit(cell, nil0, 1, memory_order_seq_cst, memory_order_seq_cst);
}

P1(atomic_int* cell, int* nil1) {
  int r0 = atomic_compare_exchange_strong_explicit(cell, nil1, 2, memory_order_seq_cst, memory_order_seq_cst);
}

exists (1:r0=1 /\ [cell]=2)
)",
     sometimes, 2, false},
    {"13.1", "the producer-consumer flag pair: with release and acquire, may the reader see b == 1 and a == 0?",
     "The text (section 13): yes, \"the release on a and the release on b are independent\".",
     "Wrong, the same mistake as in B.4: they are not independent, one is sequenced before the other.",
     R"(
P0(atomic_int* a, atomic_int* b) {
  atomic_store_explicit(a, 1, memory_order_release);
  atomic_store_explicit(b, 1, memory_order_release);
}

P1(atomic_int* a, atomic_int* b) {
  int r0 = atomic_load_explicit(b, memory_order_acquire);
  int r1 = atomic_load_explicit(a, memory_order_acquire);
}

exists (1:r0=1 /\ 1:r1=0)
)",
     never, 3, false},
    {"13.2", "independent reads of independent writes: with release and acquire, may two readers disagree?",
     "The text (section 13): yes.",
     "Right for C++: IRIW+ra. And it misses the one that bites on every machine, x86 included: SB.",
     R"(
P0(atomic_int* a) { atomic_store_explicit(a, 1, memory_order_release); }

P1(atomic_int* b) { atomic_store_explicit(b, 1, memory_order_release); }

P2(atomic_int* a, atomic_int* b) {
  int r0 = atomic_load_explicit(a, memory_order_acquire);
  int r1 = atomic_load_explicit(b, memory_order_acquire);
}

P3(atomic_int* a, atomic_int* b) {
  int r0 = atomic_load_explicit(b, memory_order_acquire);
  int r1 = atomic_load_explicit(a, memory_order_acquire);
}

exists (2:r0=1 /\ 2:r1=0 /\ 3:r0=1 /\ 3:r1=0)
)",
     sometimes, 16, false},
};

}  // namespace

void add_quizzes(std::vector<entry>& to) {
  for (const quiz& q : quizzes) {
    to.push_back(
        make_entry(q.name, "quiz", q.question, q.program, {memory_model::cxx20, q.seen, q.executions, q.race}));
    to.back().notes = std::string(q.asked) + "\n\n" + q.answer;
  }
}

}  // namespace acqrel::model::litmus
