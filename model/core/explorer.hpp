// Every execution of a program once: TruSt (Kokologiannakis, Marmanis, Gladstein, Vafeiadis, POPL 2022) over the axioms
// of C++20 with acyclic(sb | rf).
//
// The explorer owns the tree of execution graphs; the program is run again and again, by an interpreter or natively.
//
//   while (tree.next()) {            // a graph to follow, and to extend
//     ... run every thread: each operation is a call below, made only when turn(thread) says so ...
//     tree.finish(complete);         // every thread ended; or none can go on
//   }
//
// During a run each call either repeats an event of the graph (and returns what was recorded) or adds one (and returns
// the value of its first alternative; the others wait on a stack). When no recorded event is left, the caller must run
// the lowest thread that can go on, until it cannot: which thread goes next is a function of the graph.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "event.hpp"
#include "graph.hpp"

namespace acqrel::model {

struct exploration {
  std::uint64_t max_executions = 1'000'000;  ///< complete and blocked ones; 0: no bound
  std::uint64_t samples = 0;                 ///< not 0: that many random walks instead of all executions
  std::uint64_t seed = 1;
  bool look_for_duplicates = false;  ///< remember every graph, and count those met twice
  std::string replay;                ///< a token: only that execution
};

/// What the caller of an operation must be able to do. Neither call returns: a fiber is left, an interpreter throws.
class trouble {
 public:
  /// The program did something else than in the run before.
  [[noreturn]] virtual void nondeterministic(const std::string& what) = 0;
  /// The graph may not grow: too many events or threads, by `what`.
  [[noreturn]] virtual void bound_hit(const std::string& what) = 0;

 protected:
  ~trouble() = default;
};

class explorer {
 public:
  explorer(const exploration& how, trouble& caller);
  ~explorer();
  explorer(const explorer&) = delete;
  explorer& operator=(const explorer&) = delete;

  // ---- between runs
  /// Prepares the next execution; false when none is left, or when a bound ends the search (see exhaustive()).
  bool next();
  /// The run is over: every thread ended, or those that did not can never go on.
  void finish(bool complete);
  /// Instead of finish(), which comes later: follows the same execution once more, to see whether the program does again
  /// what it did.
  void repeat();
  /// The run was given up in its middle (a bound was hit): its graph counts for nothing, the search goes on.
  void abandon();

  // ---- during a run
  /// Whether `thread` may make its next operation now. While recorded events are left it is one thread's turn; after
  /// that anybody's.
  bool turn(thread_id thread) const;
  /// Whose turn it is while recorded events are left.
  std::optional<thread_id> scheduled() const;
  /// Whether `thread` has made all its recorded events: what it does next is new.
  bool live(thread_id thread) const;

  /// `initial` is what the object holds if no write of this execution came before; it is looked at on the first access.
  value load(thread_id, location, value initial, order, const void* site);
  void store(thread_id, location, value initial, value to, order, const void* site);
  /// Returns what was read.
  value rmw(thread_id, location, value initial, const modification&, const void* site);
  void fence(thread_id, kind which /* fence, light, heavy */, order, const void* site);
  void start(thread_id);
  void end(thread_id);
  /// Returns the number of the new thread: the same whenever this execution is followed again.
  thread_id create(thread_id, const void* site);
  void join(thread_id, thread_id ended, const void* site);
  /// One of 0 .. n-1, each in turn.
  std::uint32_t choose(thread_id, std::uint32_t n, const void* site);

  /// The thread made an operation that is no event, because nobody else can meet it: only the token remembers it.
  void alone(thread_id);
  /// How many operations the thread made in this run, those included.
  std::size_t operations(thread_id) const;
  /// Whether the token to replay says so of the thread's next operation.
  bool replays_alone(thread_id) const;

  /// Events of this run made so far by `thread`: an access between events i-1 and i happens before an event e of
  /// another thread exactly if e.hb[thread] > i.
  unsigned position(thread_id thread) const;
  /// What happens before the next thing `thread` does.
  const clock& now(thread_id thread) const;
  /// The graph as far as it stands, this run's events made so far or not.
  const graph& execution() const;
  /// The write of `l` that is last in modification order among those made in this run, or nothing: what a plain read of
  /// the object finds.
  std::optional<value> latest(location l) const;

  // ---- results
  std::uint64_t complete() const;
  std::uint64_t blocked() const;
  std::uint64_t duplicates() const;
  /// Whether all executions were seen.
  bool exhaustive() const;
  /// Share of the tree explored, 0 to 1; complete()/explored() estimates the total (Knuth 1975).
  double explored() const;
  /// What led this run to where it is, for exploration::replay: a letter for the thread of each operation, as they were
  /// made, with how far from the latest write it reads or stands, if not 0; a capital for operations that are no events,
  /// with how many, if not 1.
  std::string token() const;

 private:
  class tree;
  std::unique_ptr<tree> tree_;
};

}  // namespace acqrel::model
