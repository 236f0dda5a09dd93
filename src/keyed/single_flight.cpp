// The list of flights, who waits for whom, and the end of a flight.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/single_flight.hpp>
#include <acqrel/signal/cancel.hpp>

#include <utility>

namespace acqrel {
namespace {

// How many flights this thread runs, each within the one before. Its address names the thread.
constinit thread_local int depth = 0;

}  // namespace

flight_dropped::flight_dropped()
    : std::runtime_error(
          "acqrel: single_flight: the work was dropped before it had a result: the executor refused or destroyed its "
          "job, "
          "or its thread was cancelled; try again, or give it an executor that runs what it is given") {}

// ---- who is under way; all under the mutex

void flights::list(const std::shared_ptr<flight>& it) {
  const auto put = [this](std::shared_ptr<flight> what) {
    auto& list = lists_[list_of(what->hash)];
    what->next_ = std::move(list);
    list = std::move(what);
  };
  if (listed_ == lists_.size()) {
    std::vector<std::shared_ptr<flight>> old(listed_ == 0 ? 8 : 2 * listed_);
    old.swap(lists_);
    for (auto& list : old) {
      while (list != nullptr) {
        auto rest = std::move(list->next_);
        put(std::exchange(list, std::move(rest)));
      }
    }
  }
  put(it);
  it->listed_ = true;
  ++listed_;
}

// Returns the list's reference, to be dropped when the mutex is free.
std::shared_ptr<flights::flight> flights::unlist(flight& it) noexcept {
  std::shared_ptr<flight>* at = &lists_[list_of(it.hash)];
  while (at->get() != &it) at = &(*at)->next_;
  std::shared_ptr<flight> link = std::move(*at);
  *at = std::move(it.next_);
  it.listed_ = false;
  --listed_;
  return link;
}

void flights::join(flight& it) noexcept {
  ++it.callers_;
  it.shared = true;
}

void flights::leave(flight& it) noexcept {
  std::shared_ptr<flight> link;
  {
    const std::lock_guard lock(mutex_);
    if (--it.callers_ != 0 || !it.stop_.stop_possible()) return;
    if (it.listed_) link = unlist(it);
  }
  it.stop_.request_stop();
}

// ---- the work

void flights::fly(flight& it, const void* of, void (*body)(const void* of)) {
  struct running {
    explicit running(flight& runs) noexcept : it(runs) {
      ++depth;
      // plain: the name of this thread; see wait_nested()
      it.runs_on_.store(&depth, std::memory_order_relaxed);
    }
    ~running() {
      // plain: likewise
      it.runs_on_.store(nullptr, std::memory_order_relaxed);
      --depth;
    }
    flight& it;
  };
  const running here(it);
  try {
    body(of);
  } catch (...) {
    it.error = std::current_exception();
    if (it.error == nullptr) throw;  // the thread is being cancelled
  }
}

bool flights::runs_here(const flight& it) noexcept {
  // plain: only this thread stores this
  return it.runs_on_.load(std::memory_order_relaxed) == &depth;
}

std::shared_ptr<void> flights::watch(const std::shared_ptr<flight>& it, const patience& how_long) {
  struct leave {
    flights& home;
    std::shared_ptr<flight> it;
    void operator()() const { home.leave(*it); }
  };
  struct until_deadline {
    cancel_source source;
    cancel_callback<leave> leaves;
  };
  const std::stop_token* const stop = how_long.stop();
  if (how_long.deadline() != steady_deadline::max()) {
    const cancel_source source(stop != nullptr ? cancel_source(*stop).token() : cancel_token(), how_long.deadline());
    return std::shared_ptr<void>(new until_deadline{source, {source.token(), leave{*this, it}}});
  }
  if (stop == nullptr) return nullptr;
  return std::make_shared<std::stop_callback<leave>>(*stop, leave{*this, it});
}

void flights::land(flight& it) noexcept {
  std::shared_ptr<flight> link;
  {
    const std::lock_guard lock(mutex_);
    if (it.listed_) link = unlist(it);
  }
  // edge single_flight.landed: release
  if ((it.state_.exchange(flight::landed, std::memory_order_release) & flight::has_waiters) != 0) unpark_all(it.state_);
}

// ---- waiting

bool flights::wait(flight& it, const patience& how_long) {
  try {
    if (depth == 0 ? it.await(how_long) : wait_nested(it, how_long)) return true;
  } catch (...) {
    leave(it);
    throw;
  }
  leave(it);
  return false;
}

// For who runs a flight itself. A ring of threads that wait for each other consists of such. The last of them to come here
// sees what the others wrote before they came, so it alone needs to look, and the names of threads need no order of their
// own. Nor is a name found that is out of date: its thread waits here since before that flight ended.
bool flights::wait_nested(flight& it, const patience& how_long) {
  struct nested_wait {
    const void* thread;
    const flight* awaited;
    nested_wait* next;
  };
  static constinit std::mutex mutex;
  static constinit nested_wait* all = nullptr;  // on the stacks of those who wait

  nested_wait mine{&depth, &it, nullptr};
  {
    const std::lock_guard lock(mutex);
    const flight* last = &it;
    for (const nested_wait* each = nullptr;; last = each->awaited) {
      // plain: see above
      const void* const thread = last->runs_on_.load(std::memory_order_relaxed);
      if (thread == &depth) {
        throw std::logic_error(
            "acqrel: single_flight: work asked for a key whose own work is under way on this thread, or waits for it "
            "on "
            "another, and would wait for itself; let it do without that result");
      }
      for (each = all; each != nullptr && each->thread != thread;) each = each->next;
      if (each == nullptr) break;
    }
    mine.next = std::exchange(all, &mine);
  }
  const bool landed = it.await(how_long);
  const std::lock_guard lock(mutex);
  nested_wait** at = &all;
  while (*at != &mine) at = &(*at)->next;
  *at = mine.next;
  return landed;
}

// ---- jobs

flights::job::job(flights& where) noexcept : home(where) {
  home.jobs_.change([](std::uint64_t n) { return n + 1; });
}

flights::job::~job() {
  // With the last, `home` may be gone.
  home.jobs_.change([](std::uint64_t n) { return n - 1; }, [](std::uint64_t n) { return n == 0; });
}

void flights::wait_for_jobs() const noexcept {
  (void)jobs_.await(patience(), [](std::uint64_t n) { return n == 0; });
}

}  // namespace acqrel
