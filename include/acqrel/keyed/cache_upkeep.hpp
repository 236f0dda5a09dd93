// acqrel/keyed/cache_upkeep.hpp - what a cache does when it is not a hit: loads, ages, room, and telling what left.
//
//   std::string get() {                                          // of a cache of one value; loading_cache has a map
//     for (entry_ptr answer;;) {
//       const entry_ptr there = find();
//       if (answers(there, &always, answer)) return text_of(answer);
//       const auto mine = std::make_shared<message>(there);      // a load, in the place of what is there
//       if (place(there, mine)) return text_of(take_on(mine, always));
//     }
//   }
//
// Publishes  what load() returned, and all it did before, to who waits for it. To who finds it: what holds the entries does.
// Edges      cache_upkeep.turn   an invalidate -> a load, or a load -> an invalidate   the second sees what the first did
//                                before: what was changed in the source, or that there is a load
//            Who waits for a load waits for event.happened.
// Progress   serves() and count_hit() wait-free; all else takes the mutex of an eviction_queue, and may wait for a load.
// Memory     150 bytes an entry; and to count, 40 for each thread (thread_cells).
// Threads    any. Destruction, which no call may overlap, waits for the loads that the executor has.
// Errors     what load() throws is in the entry that answers. std::logic_error for a load that asks for itself;
//            std::invalid_argument for a time that is negative. Without memory to keep what was loaded it is not kept.
// Cost       a hit: a look at the clock, if what it hits has a date; and five plain memory operations to count it.
// Model      tests/keyed/cache_upkeep_model.cpp, with a twin that replaces whatever it finds.
// Not for    use by itself: it is a part of loading_cache.
//
// The rule: a load ends by a compare-and-assign of what it got for itself. So what an invalidate took out stays out, and
// who asks later finds nothing and begins a load of its own. Whoever takes an entry out tells of it; two that both did,
// as one holds its load and the other the entry, settle that by its flag.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/time_source.hpp>
#include <acqrel/base/waitable_word.hpp>
#include <acqrel/keyed/eviction_queue.hpp>
#include <acqrel/observe/thread_cells.hpp>
#include <acqrel/signal/event.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <thread>

namespace acqrel {

/// Why a value is there no more.
enum class removal : std::uint8_t {
  expired,      // its time was up
  size,         // there was no room for it
  invalidated,  // or its loader says that there is none
  replaced,     // by a later load, or put()
};

struct cache_statistics {
  std::uint64_t hits = 0;    // what was asked for was there
  std::uint64_t misses = 0;  // it had to be loaded, or waited for
  std::uint64_t loads = 0, failures = 0;
  std::uint64_t evictions = 0;  // for want of room
};

class cache_upkeep {
 public:
  using duration = std::chrono::steady_clock::duration;
  static constexpr duration for_ever = duration::max();
  /// What each means: loading_cache::options.
  struct settings {
    std::uint64_t most = UINT64_MAX;
    duration time_to_live = for_ever, refresh_after = for_ever;
    duration stale_on_error = duration::zero(), remember_failures = duration::zero();
    std::function<void(std::function<void()>)> executor = {};
    time_source* time = nullptr;
  };
  struct entry;
  using entry_ptr = std::shared_ptr<entry>;

  /// How many values there are, and what they weigh.
  [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }
  [[nodiscard]] std::uint64_t weight() const noexcept { return queue_.weight(); }
  [[nodiscard]] cache_statistics statistics() const noexcept;
  /// Lets go of all whose time is up.
  void expire() noexcept;

 protected:
  explicit cache_upkeep(settings how);
  cache_upkeep(const cache_upkeep&) = delete;
  cache_upkeep& operator=(const cache_upkeep&) = delete;
  ~cache_upkeep() = default;
  /// For the destructor of what derives from it: what the executor has still calls it.
  void wait_for_loads() noexcept;

  // What holds the entries does; what is said of one is about its key.
  [[nodiscard]] virtual bool is_there(const entry_ptr& one) = 0;
  [[nodiscard]] virtual bool replace(const entry_ptr& there, const entry_ptr& by) = 0;  // if it is there
  [[nodiscard]] virtual bool take_out(const entry_ptr& there) noexcept = 0;             // if it is there
  [[nodiscard]] virtual entry_ptr load(const entry_ptr& what) = 0;
  [[nodiscard]] virtual entry_ptr make_failed(const entry_ptr& what, std::exception_ptr thrown) = 0;
  virtual void tell(const entry_ptr& left, removal why) noexcept = 0;

  void count_hit() noexcept { count(counted::hits); }
  [[nodiscard]] inline bool serves(const entry& one) const noexcept;
  /// True: `answer` is what there is to say; null if it must be loaded, which without patience is not done.
  [[nodiscard]] bool answers(const entry_ptr& there, const patience* how_long, entry_ptr& answer);
  /// Has the load done that was put in the place of what was there, and waits for it. Null: patience ran out.
  [[nodiscard]] entry_ptr take_on(const entry_ptr& mine, const patience& how_long);
  /// Ends the load `mine` with what was made elsewhere.
  void settle(const entry_ptr& mine, const entry_ptr& made, removal why) noexcept;
  /// Before an invalidate looks for what is there; each load does so before it begins.
  void take_turn() noexcept;
  /// `taken` was taken out of what holds the entries.
  void dismiss(const entry_ptr& taken) noexcept;

  struct dates {
    steady_deadline look_again, fresh_until, useless;
  };
  [[nodiscard]] dates dates_of_value() const noexcept;
  [[nodiscard]] dates dates_of_failure() const noexcept;

 private:
  struct going;
  struct ticket;
  class farewells;
  static entry_ptr value_of(const entry_ptr& there) noexcept;
  entry_ptr await(const entry_ptr& mine, const patience& how_long);
  void run(const entry_ptr& mine) noexcept;
  void fail(const entry_ptr& mine, std::exception_ptr thrown) noexcept;
  void forget(eviction_queue::left& out, const entry* but, farewells& all) noexcept;
  /// Any time, if nothing grows old.
  steady_deadline now() const noexcept { return has_ages_ ? time_.now() : steady_deadline(); }
  bool is_before(steady_deadline date) const noexcept { return date == steady_deadline::max() || time_.now() < date; }

  enum class counted : std::uint8_t { hits, misses, loads, failures, evictions };
  void count(counted what) noexcept { thread_cells::add(counts_.mine()[static_cast<std::size_t>(what)], 1); }

  thread_cells counts_{5};  // each thread's own
  const settings how_;
  time_source& time_;
  const bool has_ages_;
  eviction_queue queue_;
  waitable_word handed_out_;            // loads that the executor has
  std::atomic<std::uint32_t> turn_{0};  // only the order of its changes counts
};

/// A value; or that there is none, or why not; or a load, in whose place that will come.
struct cache_upkeep::entry : eviction_queue::node {
  entry(bool has_value, std::exception_ptr thrown, std::size_t hash, std::uint64_t weight, const dates& dates) noexcept;
  /// A load, that stands for what is there: null, a value, or another load.
  explicit entry(const entry_ptr& there);
  ~entry();

  const bool has_value;
  std::exception_ptr thrown;  // of a load: written before `done`

 private:
  friend cache_upkeep;
  const steady_deadline fresh_until_{};
  std::atomic<steady_deadline> look_again_{};  // from then on a hit is more than a hit
  const std::unique_ptr<going> load_{};
  std::atomic<bool> told_{false};
  removal why_{};  // this and the next belong to who set `told_`
  entry_ptr next_{};
};

inline bool cache_upkeep::serves(const entry& one) const noexcept {
  // plain: a time
  return is_before(one.look_again_.load(std::memory_order_relaxed));
}

}  // namespace acqrel
