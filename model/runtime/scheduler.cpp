// Whose turn it is. While the explorer has recorded events, theirs is the order; after that the lowest thread that can go on
// runs until it can not, so that an execution, and nothing else, decides what is run next.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler.hpp"

#include <algorithm>

#include "fiber.hpp"
#include "memory.hpp"
#include "modules.hpp"
#include "sites.hpp"
#include "sync.hpp"

namespace acqrel::model {

bool native = true;
const void* program_stack = nullptr;
std::uint64_t operations_begun = 0;

namespace {

enum class state : std::uint8_t {
  absent,
  ready,
  joining,   // until the thread `joins` has ended
  spinning,  // as long as its last turn leaves no trace
  stuck,     // until the run ends
  ended,
};

struct model_thread {
  fiber where;
  const void* stack = nullptr;  // program_stack, while another thread runs
  state is = state::absent;
  thread_id joins = 0;
  bool bounded = false;
  turn last_turn;  // spinning: the turn of its loop; stuck: the read that it waits to read something else
  void* (*body)(void*) = nullptr;
  void* argument = nullptr;
  void* result = nullptr;
  loops been;
  unsigned failures = 0;  // spurious ones that it may still have
  unsigned gave_way = 0;  // 1 + its position when it last asked to sleep, or yielded
  const void* site = nullptr;
  std::string (*waits_for)(const void*) = nullptr;
  const void* object = nullptr;
  std::string words;
};

class callbacks final : public trouble {
 public:
  [[noreturn]] void nondeterministic(const std::string& what) override { fail(trouble_kind::nondeterministic, what); }
  [[noreturn]] void bound_hit(const std::string& what) override;
};

explorer* explored = nullptr;
const std::function<void()>* test_body = nullptr;
run_limits limits;

model_thread threads[max_threads];
unsigned known = 0;  // threads of this run: one more than the highest
thread_id running_thread = 0;
fiber scheduler;

ending ended_how = ending::complete;
finding trouble_found;
std::string bound_found;
callbacks trouble_callbacks;

const graph& execution() { return explored->execution(); }

[[noreturn]] void leave_run(ending how) {
  ended_how = how;
  fiber::go(threads[running_thread].where, scheduler);
  __builtin_unreachable();
}

void callbacks::bound_hit(const std::string& what) {
  if (bound_found.empty()) bound_found = what;
  leave_run(ending::over_bound);
}

/// Whether this turn makes something else of the object than what it found there, be it only for a while.
bool changes(const turn& t, std::uint16_t object, value found) {
  const std::vector<event>& events = execution().of(t.thread);
  return std::any_of(events.begin() + t.from, events.begin() + t.to,
                     [&](const event& e) { return e.what == kind::write && e.object == object && e.val != found; });
}

/// Whether the thread would see the same for ever: nothing comes after what it read but turns that leave no trace, and none
/// of those that go on for ever shows it something else in passing, as who locks and unlocks does. (A thread whose own turns
/// do that sees what is there when it is its turn.)
bool reads_what_stays(const model_thread& t, event_id r) {
  const graph& g = execution();
  const event& read = g.at(r);
  const graph::object& object = g.objects()[read.object];
  for (unsigned p = g.place(read.from, object) + 1; p <= object.writes.size(); ++p) {
    const event_id w = g.write_at(p, object);
    const model_thread& writer = threads[w.thread];
    const bool puts_back =
        g.at(w).exclusive && g.at(w).val == g.at({w.thread, static_cast<std::uint8_t>(w.index - 1u)}).val;
    const bool in_turn =
        writer.is == state::spinning && w.index >= writer.last_turn.from && w.index < writer.last_turn.to;
    if (!puts_back && !in_turn) return false;
  }
  if (t.is == state::spinning && changes(t.last_turn, read.object, read.val)) return true;
  return std::none_of(threads, threads + known, [&](const model_thread& other) {
    return &other != &t && other.is == state::spinning && changes(other.last_turn, read.object, read.val);
  });
}

/// Whether what this thread waits for will never be written: everything that it read and would read again stays.
bool waits_for_ever(const model_thread& t) {
  if (t.is == state::ended || t.is == state::joining || t.is == state::absent) return true;
  if (t.bounded) return false;
  for (unsigned i = t.last_turn.from; i < t.last_turn.to; ++i) {
    const event_id e{t.last_turn.thread, static_cast<std::uint8_t>(i)};
    if (execution().at(e).what == kind::read && !reads_what_stays(t, e)) return false;
  }
  return true;
}

std::string words_of(const model_thread& t) {
  if (t.is == state::joining) return "waits for thread " + std::to_string(t.joins) + " to end";
  if (t.is == state::stuck) return "waits " + (t.waits_for != nullptr ? t.waits_for(t.object) : t.words);
  const std::string what = "goes round in a loop that waits for a change";
  const graph& g = execution();
  std::string places;
  for (unsigned i = t.last_turn.from; i < t.last_turn.to; ++i) {
    const event& e = g.of(t.last_turn.thread)[i];
    if (e.what != kind::read) continue;
    const location l = g.objects()[e.object].where;
    const std::string name =
        is_word(l) ? describe(key_of_word(l)) : describe(reinterpret_cast<const void*>(l & (word_mark - 1)));
    if (places.find(name) == std::string::npos) places += (places.empty() ? " of " : ", ") + name;
  }
  return what + places;
}

/// Nothing can run any more. Is it an execution whose end comes in another one, or is there no end?
void conclude() {
  bool all_ended = true, all_for_ever = true, spins = false;
  for (unsigned i = 0; i < known; ++i) {
    const model_thread& t = threads[i];
    if (t.is == state::absent || t.is == state::ended) continue;
    all_ended = false;
    all_for_ever = all_for_ever && waits_for_ever(t);
    spins = spins || t.is == state::spinning;
  }
  if (all_ended) {
    ended_how = ending::complete;
  } else if (!all_for_ever) {
    ended_how = ending::blocked;
  } else {
    std::string text = "no thread can ever go on:";
    for (unsigned i = 0; i < known; ++i) {
      const model_thread& t = threads[i];
      if (t.is == state::absent || t.is == state::ended) continue;
      text += "\n  thread " + std::to_string(i) + " " + words_of(t);
      if (t.site != nullptr) text += ", at " + site_of(t.site).brief();
    }
    trouble_found = {spins ? trouble_kind::livelock : trouble_kind::deadlock, text, nullptr, 0};
    ended_how = ending::failed;
  }
}

/// The thread to run now; max_threads if there is none.
unsigned pick() {
  if (const auto next = explored->scheduled()) return *next;
  for (unsigned i = 0; i < known; ++i) {
    model_thread& t = threads[i];
    switch (t.is) {
      case state::ready: return i;
      case state::joining:
        if (threads[t.joins].is == state::ended) return i;
        break;
      case state::spinning:
        if (!leaves_no_trace(execution(), t.last_turn)) return i;
        break;
      default: break;
    }
  }
  return max_threads;
}

void switch_to(unsigned next) {
  fiber& from = threads[running_thread].where;
  if (next == max_threads) {
    fiber::go(from, scheduler);
    return;
  }
  const state is = threads[next].is;
  if (is == state::absent || is == state::stuck || is == state::ended) {
    fail(trouble_kind::nondeterministic, "thread " + std::to_string(next) +
                                             " made another operation in the run before, and " +
                                             (is == state::ended   ? "has ended now"
                                              : is == state::stuck ? words_of(threads[next]) + " now"
                                                                   : "was not created now"));
  }
  model_thread& me = threads[running_thread];
  me.stack = program_stack;
  running_thread = static_cast<thread_id>(next);
  fiber::go(from, threads[next].where);
  program_stack = me.stack;
}

void wait_for_turn() {
  ++operations_begun;
  if (explored->position(running_thread) + 2 > limits.events) {
    trouble_callbacks.bound_hit("thread " + std::to_string(running_thread) + " made " + std::to_string(limits.events) +
                                " operations");
  }
  const thread_id me = running_thread;
  for (unsigned next = pick(); next != me; next = pick()) switch_to(next);
  threads[me].is = state::ready;
}

/// For a thread that is not coming back.
[[noreturn]] void leave_thread_for_good() {
  switch_to(pick());
  __builtin_unreachable();
}

[[noreturn]] void end_thread(void* result) {
  model_thread& me = threads[running_thread];
  me.result = result;
  native = false;
  leave_thread();
  native = true;
  program_stack = me.where.stack_high();
  wait_for_turn();
  explored->end(running_thread);
  me.is = state::ended;
  leave_thread_for_good();
}

void thread_begins(void*) {
  native = true;
  model_thread& me = threads[running_thread];
  program_stack = me.where.stack_high();
  wait_for_turn();
  explored->start(running_thread);
  native = false;
  void* const result = me.body(me.argument);
  native = true;
  end_thread(result);
}

void* run_test(void*) {
  (*test_body)();
  return nullptr;
}

void begin_thread(unsigned number, void* (*body)(void*), void* argument) {
  model_thread& t = threads[number];
  t.is = state::ready;
  t.body = body;
  t.argument = argument;
  t.result = nullptr;
  t.bounded = false;
  t.failures = limits.spurious_failures;
  t.gave_way = 0;
  t.where.begin(static_cast<thread_id>(number), thread_begins, nullptr);
  t.stack = t.where.stack_high();
  t.been.begin(t.where.stack_high());
  if (number >= known) {
    for (unsigned between = known; between < number; ++between) threads[between].is = state::absent;
    known = number + 1;
  }
}

}  // namespace

// ---- a run

ending run_once(explorer& tree, const std::function<void()>& test, const run_limits& within) {
  explored = &tree;
  test_body = &test;
  limits = within;
  known = 0;
  ended_how = ending::complete;
  trouble_found = {};
  running_thread = 0;
  begin_thread(0, run_test, nullptr);
  fiber::go(scheduler, threads[0].where);
  native = true;
  if (ended_how == ending::complete) conclude();
  return ended_how;
}

const finding& found() { return trouble_found; }
const std::string& bound() { return bound_found; }
void bound(const std::string& what) { trouble_callbacks.bound_hit(what); }
void begin_bounds() { bound_found.clear(); }

void mark_waits() {
  const bool is_the_trouble =
      trouble_found.what == trouble_kind::deadlock || trouble_found.what == trouble_kind::livelock;
  for (unsigned i = 0; i < known; ++i) {
    const model_thread& t = threads[i];
    if (t.is != state::joining && t.is != state::stuck && t.is != state::spinning) continue;
    add_mark({static_cast<thread_id>(i), explored->position(static_cast<thread_id>(i)), words_of(t), t.site,
              is_the_trouble});
  }
}

std::array<unsigned, max_threads> positions() {
  std::array<unsigned, max_threads> made{};
  for (unsigned t = 0; t < max_threads; ++t) made[t] = explored->position(static_cast<thread_id>(t));
  return made;
}

trouble& trouble_of_run() { return trouble_callbacks; }

// ---- turns

void wait_turn() { wait_for_turn(); }

void start_over() { leave_run(ending::started_over); }

void wait_turn_to_read(const registers& at, bool alone, const void* site) {
  model_thread& me = threads[running_thread];
  const unsigned position = explored->position(running_thread);
  const int before = me.been.come_back(at, position);
  if (before >= 0) {
    const turn last{running_thread, static_cast<unsigned>(before), position};
    if (leaves_no_trace(execution(), last)) {
      me.is = state::spinning;
      me.last_turn = last;
      me.site = site;
      if (limits.spinning_fails && me.gave_way <= static_cast<unsigned>(before)) {
        fail(trouble_kind::spinning,
             words_of(me) +
                 ", and keeps a cpu busy until then. Sleep instead: in acqrel::park, on an event, a condition variable "
                 "or "
                 "std::atomic::wait; a wait known to be short may spin first (acqrel::spinner).",
             site);
      }
      wait_for_turn();
      return;
    }
  }
  if (!alone) wait_for_turn();
}

void give_way() { threads[running_thread].gave_way = explored->position(running_thread) + 1; }

bool fails_spuriously(const void* site) {
  model_thread& me = threads[running_thread];
  if (me.failures == 0 || choose(2, site) == 0) return false;
  --me.failures;
  return true;
}

bool is_below_stack(const void* p) {
  constexpr std::ptrdiff_t page = 4096;
  const char* const low = threads[running_thread].where.stack_low();
  return p < low && p >= low - page;
}

void share_stack(const void* p, std::size_t size) {
  thread_id owner = max_threads;
  if (is_on_stack(p, &owner)) threads[owner].been.share(p, size);
}

loops& loops_of_running() { return threads[running_thread].been; }

void wrote_plainly(const void* p, std::size_t size) {
  thread_id owner = max_threads;
  loops& been = threads[running_thread].been;
  if (is_on_stack(p, &owner) && owner == running_thread) return been.own(p, size);
  // Elsewhere may be no memory at all: the write itself will crash.
  if (owner != max_threads || in_arena(p) || is_global(p)) {
    been.write(p, size);
  } else {
    been.act();
  }
  if (owner != max_threads) threads[owner].been.share(p, size);
}

// ---- run.hpp

bool from_checked_code(const void* return_address) { return is_program_code(return_address); }

thread_id self() { return running_thread; }

explorer& tree() { return *explored; }

thread_id create_thread(void* (*body)(void*), void* argument, const void* site) {
  wait_for_turn();
  const thread_id child = explored->create(running_thread, site);
  begin_thread(child, body, argument);
  threads[running_thread].been.act();
  return child;
}

void* join_thread(thread_id other, const void* site) {
  model_thread& me = threads[running_thread];
  me.is = state::joining;
  me.joins = other;
  me.site = site;
  wait_for_turn();
  explored->join(running_thread, other, site);
  me.been.act();
  return threads[other].result;
}

void exit_thread(void* result) { end_thread(result); }

void stuck(std::string (*waits_for)(const void*), const void* object, const void* site, bool bounded) {
  native = true;
  model_thread& me = threads[running_thread];
  me.is = state::stuck;
  me.waits_for = waits_for;
  me.object = object;
  me.site = site;
  me.bounded = bounded;
  // What it read last is what it waits to read anew.
  const std::vector<event>& mine = execution().of(running_thread);
  unsigned last = explored->position(running_thread);
  while (last > 0 && mine[last - 1].what != kind::read) --last;
  me.last_turn = {running_thread, last == 0 ? 0 : last - 1, last};
  leave_thread_for_good();
}

void stuck(const std::string& waits_for, const void* site) {
  threads[running_thread].words = waits_for;
  stuck(nullptr, nullptr, site);
}

void fail(trouble_kind what, const std::string& text, const void* site) {
  native = true;
  trouble_found = {what, text, site, running_thread};
  leave_run(ending::failed);
}

void not_modelled(const char* function, const void* site) {
  native = true;
  fail(trouble_kind::not_modelled, std::string(function) + " is not modelled", site);
}

// ---- memory.hpp

thread_id stack_of(const void* p, bool* dead) {
  thread_id owner = max_threads;
  *dead = false;
  if (!is_on_stack(p, &owner)) return max_threads;
  const model_thread& t = threads[owner];
  if (owner != running_thread) *dead = owner >= known || t.is == state::ended || t.is == state::absent || p < t.stack;
  return owner;
}

}  // namespace acqrel::model
