// The rule by which loads end, under the checker: what was taken out stays out. On a cache of one value, whose holder is a
// pointer under a mutex, so that what is explored is the rule and not a map.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/cache_upkeep.hpp>
#include <acqrel/testing/fake_clock.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::removal;
using acqrel::model::expect;
using acqrel::testing::fake_clock;

// Loads what `source` is. The twin puts what it loaded there, whatever is there.
template <bool compares>
class one_value final : public acqrel::cache_upkeep {
 public:
  explicit one_value(settings how = {.most = 2}) : cache_upkeep(std::move(how)) {}
  ~one_value() { wait_for_loads(); }

  // What a thread had a reference to, to be let go of when all threads have ended: in which order they do that beside each
  // other is shared_ptr's affair, and would be most of what there is to explore.
  using held = std::vector<entry_ptr>;

  int get(held& all) {
    for (;;) {
      all.push_back(find());
      entry_ptr answer;
      if (!answers(all.back(), &always, answer)) {
        auto mine = std::make_shared<number>(all.back());
        if (!place(all.back(), mine)) continue;
        answer = take_on(mine, always);
        all.push_back(std::move(mine));
      }
      all.push_back(std::move(answer));
      return static_cast<const number&>(*all.back()).value;
    }
  }
  void put(held& all, int value) {
    all.push_back(std::make_shared<number>(value, dates_of_value()));
    const entry_ptr made = all.back();
    for (;;) {
      all.push_back(find());
      const auto mine = std::make_shared<number>(all.back());
      if (place(all.back(), mine)) return all.push_back(mine), settle(mine, made, removal::replaced);
    }
  }
  void invalidate(held& all) {
    take_turn();
    // plain: as a map without locks looks; the turn sees to it that what is missed was not there in time
    if (is_empty_.load(std::memory_order_relaxed)) return;
    entry_ptr taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(there_);
    }
    if (taken == nullptr) return;
    dismiss(taken);
    all.push_back(std::move(taken));
  }
  bool is_empty() { return find() == nullptr; }

  std::atomic<int> source{1};
  int loads = 0;               // by who loads
  std::atomic<int> told[3]{};  // of each value

 private:
  struct number : entry {
    explicit number(const entry_ptr& there) : entry(there) {}
    number(int n, const dates& dates) : entry(true, nullptr, 0, 1, dates), value(n) {}
    int value = 0;
  };
  entry_ptr find() {
    const std::lock_guard lock(mutex_);
    return there_;
  }
  bool place(const entry_ptr& there, entry_ptr next) {
    const std::lock_guard lock(mutex_);
    if (there_ != there) return false;
    there_.swap(next);
    // plain: for invalidate()
    is_empty_.store(there_ == nullptr, std::memory_order_relaxed);
    return true;
  }
  bool is_there(const entry_ptr& one) override { return !compares || find() == one; }
  bool replace(const entry_ptr& one, const entry_ptr& by) override {
    if constexpr (compares) return place(one, by);
    const std::lock_guard lock(mutex_);
    there_ = by;
    return true;
  }
  bool take_out(const entry_ptr& one) noexcept override { return place(one, nullptr); }
  entry_ptr load(const entry_ptr&) override {
    ++loads;
    // plain: the source orders nothing by itself
    return std::make_shared<number>(source.load(std::memory_order_relaxed), dates_of_value());
  }
  entry_ptr make_failed(const entry_ptr&, std::exception_ptr) override { return nullptr; }
  void tell(const entry_ptr& left, removal) noexcept override {
    // plain: a number
    told[static_cast<const number&>(*left).value].fetch_add(1, std::memory_order_relaxed);
  }

  static constexpr acqrel::patience always{};
  std::mutex mutex_;
  entry_ptr there_;
  std::atomic<bool> is_empty_{true};
};
using cache = one_value<true>;
using stores = one_value<false>;

using held = cache::held;

// What is found out once in a process is found out before the threads start.
void begin() {
  setenv("ACQREL_PARK", "futex", 1);
  (void)acqrel::park_mode_in_use();
  (void)acqrel::spinner::spinning_pays();
}

// SF6, SF10
template <class Cache>
void load_beside_an_invalidate() {
  begin();
  Cache one;
  held mine, others;
  std::thread reader([&] {
    const int seen = one.get(others);
    expect(seen == 1 || seen == 2, "it is one of the two");
  });
  // plain: the source orders nothing by itself
  one.source.store(2, std::memory_order_relaxed);
  one.invalidate(mine);
  reader.join();
  expect(one.get(mine) == 2, "who asks after an invalidate gets what was loaded after it");
  expect(one.size() == 1, "what is there is counted");
}
MODEL(cache_upkeep, stores_nothing_stale, .shows = {"cache_upkeep.turn"}) { load_beside_an_invalidate<cache>(); }
MODEL_FAILS(cache_upkeep, the_twin_that_stores_what_is_stale, "assertion") { load_beside_an_invalidate<stores>(); }

// SF1, SF9, K1
MODEL(cache_upkeep, loads_once_for_two, .shows = {"event.happened"}) {
  begin();
  cache one;
  held mine, others;
  int seen = 0;
  std::thread other([&] { seen = one.get(others); });
  expect(one.get(mine) == 1, "this one has it");
  other.join();
  expect(seen == 1 && one.loads == 1, "and the other, of one load");
}

template <class Cache>
void put_beside_a_load() {
  begin();
  Cache one;
  held mine, others;
  std::thread reader([&] {
    const int seen = one.get(others);
    expect(seen == 1 || seen == 2, "it is one of the two");
  });
  one.put(mine, 2);
  reader.join();
  expect(one.get(mine) == 2, "what was put is there");
}
MODEL(cache_upkeep, keeps_what_was_put_beside_a_load) { put_beside_a_load<cache>(); }
MODEL_FAILS(cache_upkeep, the_twin_that_stores_over_a_put, "assertion") { put_beside_a_load<stores>(); }

// The value is to be refreshed, which the one does, while the other takes it out.
template <class Cache>
void refresh_beside_an_invalidate() {
  begin();
  fake_clock clock;
  Cache one({.most = 2, .refresh_after = 1s, .time = &clock});
  held mine, others;
  expect(one.get(mine) == 1, "it is loaded");
  clock.advance(1s);
  std::thread reader([&] {
    const int seen = one.get(others);
    expect(seen == 1 || seen == 2, "it is one of the two");
  });
  // plain: the source orders nothing by itself
  one.source.store(2, std::memory_order_relaxed);
  one.invalidate(mine);
  reader.join();
  expect(one.get(mine) == 2, "what was loaded before the invalidate is not there");
  expect(one.told[1] != 0 && one.size() == 1, "the first left, and was told of");
}
MODEL(cache_upkeep, stores_nothing_stale_by_a_refresh) { refresh_beside_an_invalidate<cache>(); }
MODEL_FAILS(cache_upkeep, the_twin_that_stores_it_by_a_refresh, "assertion") { refresh_beside_an_invalidate<stores>(); }

// Each value that leaves is told of once, whoever takes it out.
MODEL(cache_upkeep, tells_once_of_what_two_take_out) {
  begin();
  cache one;
  held mine, others;
  expect(one.get(mine) == 1, "it is loaded");
  std::thread other([&] { one.invalidate(others); });
  one.put(mine, 2);
  other.join();
  expect(one.told[1] == 1, "the first left");
  expect(one.told[2] + static_cast<int>(one.size()) <= 1, "the second left, or is there, or never was");
  expect(one.is_empty() == (one.size() == 0), "what is there is counted, and nothing else");
}

}  // namespace
