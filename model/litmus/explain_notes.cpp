// What no computation can say about the shapes: where they stand in real code, and what to write instead.
// SPDX-License-Identifier: Apache-2.0
#include "explain_notes.hpp"

#include <array>

namespace acqrel::model::litmus {

namespace {

constexpr std::array notes{
    note{"SB",
         "\"Set my flag, then look at yours\", on both sides, each hoping that one of the two will notice the "
         "other. Dekker's and Peterson's locks. A hazard pointer that is announced before the pointer is read "
         "again, against a reclaimer that unlinks and then looks for announcements. A sleeper that counts itself "
         "in and then looks at the queue, against a producer that fills the queue and then looks for sleepers: "
         "libstdc++ 12's atomic::notify_one after a release store loses wake-ups in this way. Pinning an epoch; a "
         "stop flag against a count of users. x86 shows it with plain moves: the store waits in its buffer while "
         "the load behind it goes ahead. Of the shapes here it shows only this and those with such a store and "
         "load in them: R, RWC, W+RWC, Z6, 3.SB.",
         "Where one side is hot: asymmetric_fence, the light one there and the heavy one on the other side. hazard "
         "and snapshot_source have that inside. Where both are cold: seq_cst on all four accesses, or a seq_cst "
         "fence between the two of each thread. To sleep until a word changes: park, whose check of the word and "
         "falling asleep are one step."},
    note{"MP",
         "Everything that is published: a configuration behind a pointer, a slot of a queue behind its index, a "
         "finished object behind a ready flag, double-checked locking, the count of a sequence lock. The data are "
         "usually plain, and then a missing order is a data race and not merely an old value (MP+na+rlx).",
         "Store the flag with release, load it with acquire: on x86 both are plain moves. For a value that others "
         "replace: snapshot_source, whose readers also keep alive what they read."},
    note{"LB",
         "Two threads that each pass on what they got before they have got it: tickets handed round in a circle, "
         "or values out of thin air. Relaxed atomics may be compiled to plain instructions, and some machines' "
         "architectures let a store go ahead of an earlier load of another object, so the letter of the standard "
         "allows it. This checker does not explore it: its default model forbids circles of program order and "
         "reads-from, and says so wherever it reports.",
         "Usually nothing: acqrel does not depend on it. Where it must be excluded by the letter too, one "
         "hand-over of the circle with release and acquire is enough (LB+one-ra)."},
    note{"IRIW",
         "Two threads set two independent flags; two observers look at both and must agree which came first: a log "
         "that is ordered by what observers saw, a lock-free algorithm proved for one global order of all writes. "
         "Rare in practice, and often a sign that one object should hold both flags. Some machines really deliver "
         "a write to one reader before another.",
         "Put what must be seen in one order into one object: snapshot_source publishes many fields as one "
         "version, and all readers see the versions in one order. Else seq_cst loads."},
    note{"WRC",
         "A thread learns something from a second and tells a third: the configuration was loaded by one thread, "
         "announced by a second, used by a third. The middleman wrote none of the data.",
         "Release and acquire at both hand-overs: happens-before goes through any number of threads. snapshot_ptr "
         "may be handed on like this."},
    note{"ISA2",
         "A chain: the first thread fills the data and hands on to a second, which hands on to a third, each by "
         "its own flag. Pipelines, a relay of ready flags, a starter of starters.",
         "Release and acquire at every link, nothing more. The data may be plain (quiz B.3)."},
    note{"2+2W",
         "Two threads write the same two fields in opposite order, and the mix of their first writes stays for "
         "ever: two \"reset\" functions, two loaders of one configuration kept in two atomics.",
         "One object instead of two (snapshot_source::publish), or writers that take turns (update). Otherwise "
         "seq_cst stores."},
    note{"R",
         "One thread writes data and raises a flag; another lowers the flag (its write comes last) and then reads "
         "the data, sure that it has seen everything. Closing a door and then looking who is inside.",
         "As for SB: the store and the load behind it need seq_cst, on both sides, or fences. An exchange in place "
         "of the lowering store, acquire and release, reads the flag that it overwrites and synchronises by that "
         "(R+xchg)."},
    note{"S",
         "The flag was seen, and the thread that saw it writes the data anew: buffers handed back and forth. The "
         "old owner's write must not win.",
         "Release when handing over, acquire when taking: as MP."},
    note{"RWC",
         "SB in which the first store is another thread's: I saw your flag go up, then looked at a second one; its "
         "owner raised it and did not see yours. Reference counts taken on behalf of others, announcements made by "
         "a helper.",
         "seq_cst on all accesses, or a seq_cst fence between the two of each thread. Which thread made the write "
         "does not matter."},
    note{"W+RWC",
         "RWC, the news of the first write being passed by a message. Release and acquire carry the message, and "
         "still the other thread may miss the write: it never got the message.",
         "seq_cst for the whole circle, or fences. A message orders what its receiver does, nobody else."},
    note{"Z6",
         "A message is received, and a write made after it is overwritten by a thread that then misses what was "
         "written before the message. Being overwritten tells a thread nothing.",
         "An exchange where the overwriting store is: it reads what it overwrites, so release and acquire reach "
         "it. Or seq_cst."},
    note{"3.SB",
         "Store buffering among three: each raises its flag and looks at the next one's. Leader election, a ring "
         "of workers that go to sleep.",
         "As for SB: seq_cst, or a seq_cst fence between store and load, in every thread of the ring."},
    note{"3.LB", "Load buffering among three.", "As for LB."},
    note{"CoRR",
         "A counter read twice must not go down, a version must not grow younger. It holds for atomics of any "
         "order; not for plain data that somebody writes, where the compiler may reuse an old load.",
         "Nothing needed for one object. For two objects: MP."},
    note{"CoRR2",
         "Everyone agrees on the order of the values of one object, at any order: a state machine in one atomic "
         "never seems to step back, to anybody. This is what makes one-word protocols so much easier than two.",
         "Nothing needed. It is why snapshot_source publishes one pointer."},
    note{"CoWW", "A thread that writes twice leaves the second value.", "Nothing needed."},
    note{"CoWR",
         "After writing, a thread reads its own value or a later one. It does not read a value that its own replaced.",
         "Nothing needed."},
    note{"CoRW", "A thread that has read a value writes after it: what it read does not come back on top.",
         "Nothing needed for the order. To lose no update in between: a read-modify-write (lost-update)."},
};

}  // namespace

const note* find_note(std::string_view shape) {
  for (const note& n : notes)
    if (shape == n.shape) return &n;
  return nullptr;
}

}  // namespace acqrel::model::litmus
