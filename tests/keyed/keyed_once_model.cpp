// Keyed_once: two who want one key, an erase beside a make, and the bound beside two makes. Below, what goes wrong without each
// of the steps, in the same algorithm on a locked map: there a make need not ask whether it is current.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/keyed_once.hpp>

#include "../reclaim/model_version.hpp"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <thread>

namespace {

using namespace heart;
using values = acqrel::keyed_once<int, int>;

// Entries are destroyed when their threads end, so that nothing is explored of that.
void start() {
  setenv("ACQREL_PARK", "futex", 1);
  begin(fence_mode::asymmetric, 1, 100);
  (void)acqrel::park_mode_in_use();
  (void)acqrel::spinner::spinning_pays();
}

template <class Once, class Make>
int get(Once& from, int key, Make make) {
  const auto got = from.get(key, make);
  return *got;
}

// K1. `makes` is plain: two makes, or a caller that is not behind the one, are a race.
template <class Once>
void two_who_want_one_key() {
  start();
  Once some;
  int makes = 0;
  const auto call = [&] {
    expect(get(some, 1, [&](int) { return ++makes; }) == 1, "the value");
    expect(makes == 1, "and all that was done to make it");
  };
  std::thread other(call);
  call();
  other.join();
}

// Who asks after the erase gets a value made of what there was before it.
template <class Once>
void an_erase_beside_a_make() {
  start();
  Once some;
  std::atomic<int> source{1};
  const auto make = [&](int) { return source.load(relaxed); };
  std::thread other([&] { expect(get(some, 1, make) != 0, "a value"); });
  source.store(2, relaxed);
  some.erase(1);
  expect(get(some, 1, make) == 2, "what was erased is served");
  other.join();
}

MODEL(keyed_once, makes_one_value_for_two_who_want_it, .shows = {"hazard.publish", "single_flight.landed"}) {
  two_who_want_one_key<values>();
}
// An erase beside the beginning of a make. Beside its end the executions are 40,000: that is left to the twin, and to the stress test.
MODEL(keyed_once, keeps_nothing_that_was_erased_as_it_began) {
  start();
  values some;
  std::atomic<int> source{1};
  std::thread eraser([&] {
    source.store(2, relaxed);
    some.erase(1);
  });
  const int got = get(some, 1, [&](int) {
    const int now = source.load(relaxed);
    eraser.join();
    return now;
  });
  expect(got == 2 || !some.find(1), "what was erased is there");
}
// K8. Two values end where there is room for one: what is counted is what can be found.
MODEL(keyed_once, keeps_one_of_two) {
  start();
  values some(1);
  std::thread other;
  const auto make = [&](int key) {
    other = std::thread([&] { expect(get(some, 2, [](int) { return 6; }) == 6, "its own"); });
    return key;
  };
  expect(get(some, 1, make) == 1, "its own");
  other.join();
  const int there = (some.find(1) ? 1 : 0) + (some.find(2) ? 1 : 0);
  expect(some.size() <= 1, "it is bounded");
  expect(there == static_cast<int>(some.size()), "what can be found is what is counted");
}

// ---- twins

enum class mistake { none, looks_once, keeps_what_was_erased, forgets_nothing };

template <mistake M>
class twin {
  struct entry {
    bool made = false;
    int value = 0;
  };
  using entry_ptr = std::shared_ptr<entry>;

 public:
  template <class Make>
  std::unique_ptr<int> get(int key, Make make) {
    if (const entry_ptr there = look(key); there != nullptr && there->made) return std::make_unique<int>(there->value);
    const auto its = flights_.run(key, [&](int) {
      const auto ticket = std::make_shared<entry>();
      {
        const std::lock_guard lock(mutex_);
        entry_ptr& there = map_[key];
        if (M != mistake::looks_once && there != nullptr && there->made) return there;
        there = ticket;
      }
      const auto made = std::make_shared<entry>(true, make(key));
      const std::lock_guard lock(mutex_);
      entry_ptr& there = map_[key];
      if (M == mistake::keeps_what_was_erased || there == ticket) there = made;
      return made;
    });
    return std::make_unique<int>((*its)->value);
  }
  void erase(int key) {
    if (M != mistake::forgets_nothing) flights_.forget(key);
    const std::lock_guard lock(mutex_);
    map_.erase(key);
  }

 private:
  entry_ptr look(int key) {
    const std::lock_guard lock(mutex_);
    const auto found = map_.find(key);
    return found != map_.end() ? found->second : nullptr;
  }
  std::mutex mutex_;
  std::map<int, entry_ptr> map_;
  acqrel::single_flight<int, entry_ptr> flights_;
};

MODEL(keyed_once, the_twin_two_who_want_one_key) { two_who_want_one_key<twin<mistake::none>>(); }
MODEL_FAILS(keyed_once, the_twin_that_looks_once_makes_two, "data race") {
  two_who_want_one_key<twin<mistake::looks_once>>();
}
MODEL(keyed_once, the_twin_an_erase_beside_a_make) { an_erase_beside_a_make<twin<mistake::none>>(); }
MODEL_FAILS(keyed_once, the_twin_that_keeps_what_was_erased, "assertion") {
  an_erase_beside_a_make<twin<mistake::keeps_what_was_erased>>();
}
MODEL_FAILS(keyed_once, the_twin_that_forgets_nothing, "assertion") {
  an_erase_beside_a_make<twin<mistake::forgets_nothing>>();
}

}  // namespace
