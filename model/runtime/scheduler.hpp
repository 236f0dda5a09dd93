// One execution: the model threads on their fibers, whose turn it is, and how it ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "../report/report.hpp"
#include "run.hpp"
#include "spin.hpp"

namespace acqrel::model {

/// What a run found wrong.
struct finding {
  trouble_kind what = trouble_kind::none;
  std::string text;
  const void* site = nullptr;
  thread_id thread = 0;
};

enum class ending : std::uint8_t {
  complete,      ///< every thread ended
  blocked,       ///< those that did not wait for what another execution has
  failed,        ///< see found()
  over_bound,    ///< see bound()
  started_over,  ///< an object is met that was taken for one thread's: all runs before count for nothing
};

struct run_limits {
  unsigned events = max_events;
  unsigned spurious_failures = 0;  ///< of each thread
  bool spinning_fails = false;
};

/// Runs the test once, along the explorer's present graph and beyond.
ending run_once(explorer&, const std::function<void()>& test, const run_limits&);
const finding& found();
/// The first bound that was hit since begin_bounds(); empty if none was.
const std::string& bound();
void begin_bounds();
/// What the run's threads were doing as it ended.
void mark_waits();
std::array<unsigned, max_threads> positions();

/// Grows with every operation of any thread.
extern std::uint64_t operations_begun;

/// What the explorer calls in a run.
trouble& trouble_of_run();

/// The running thread waits until its next operation may be made.
void wait_turn();
/// The same before an operation that reads. `at`: the state in which the thread made the call. An operation that is no event
/// (see alone.hpp) waits only if its loop does.
void wait_turn_to_read(const registers& at, bool alone, const void* site);
/// Ends the run, and the search so far.
[[noreturn]] void start_over();
/// What __ATOMIC_RELAXED and its like mean; consume is acquire.
order order_of(int builtin);
/// Whether the weak compare-exchange at hand fails without a reason: each thread may have so many in one execution.
bool fails_spuriously(const void* site);
/// The running thread asks to sleep, or yields: a loop in which it does that keeps no cpu busy.
void give_way();
/// Whether this is where the running thread's stack would go on if there were more of it.
bool is_below_stack(const void* p);
/// An atomic access to these bytes by the running thread.
void share_stack(const void* p, std::size_t size);
loops& loops_of_running();
/// Whether any of the program was compiled for the checker: it sees nothing of the rest.
extern bool instrumented_code;

}  // namespace acqrel::model
