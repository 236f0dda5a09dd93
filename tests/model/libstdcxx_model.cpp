// Three defects of libstdc++ 12 that nobody planted, beside the same programs where they do not show.
// docs/explain/found-by-the-checker.md tells them.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>

namespace {

template <std::memory_order Store>
void a_waiter_is_notified() {
  std::atomic<int> x{0};
  std::thread waiter([&] { x.wait(0, std::memory_order_acquire); });
  x.store(1, Store);
  x.notify_one();
  waiter.join();
}

// notify_one() looks at the number of waiters with a seq_cst load and makes no system call if there is none. A store with
// release may take effect after that load: the waiter counts itself, sees the old value and sleeps.
MODEL_FAILS(libstdcxx, atomic_notify_after_a_release_store, "deadlock") {
  a_waiter_is_notified<std::memory_order_release>();
}
MODEL(libstdcxx, atomic_notify_after_a_seq_cst_store) { a_waiter_is_notified<std::memory_order_seq_cst>(); }

// load() takes an internal lock and gives it back with relaxed order, so that what it did under the lock is not ordered
// before the next store().
MODEL_FAILS(libstdcxx, atomic_shared_ptr_load_against_store, "data race") {
  std::atomic<std::shared_ptr<int>> p{std::make_shared<int>(1)};
  std::thread reader([&] { EXPECT_GE(*p.load(), 1); });
  p.store(std::make_shared<int>(2));
  reader.join();
}
MODEL(libstdcxx, shared_ptr_under_a_mutex) {
  std::mutex m;
  std::shared_ptr<int> p = std::make_shared<int>(1);
  const auto load = [&] {
    const std::lock_guard lock(m);
    return p;
  };
  std::thread reader([&] { EXPECT_GE(*load(), 1); });
  {
    auto next = std::make_shared<int>(2);
    const std::lock_guard lock(m);
    p.swap(next);
  }
  reader.join();
}

// acquire() reads the counter, tries sixteen times to take a unit, and sleeps as long as the counter is what it read at
// first. If that was 1, and another thread took the unit meanwhile and gave it back, it sleeps beside a unit that is free.
void two_take_and_give_back_the_unit_of(std::counting_semaphore<4>& units) {
  const auto take_and_give = [&] {
    units.acquire();
    units.release();
  };
  std::thread other(take_and_give);
  take_and_give();
  other.join();
}
MODEL_FAILS(libstdcxx, semaphore_whose_unit_comes_back_before_the_sleep, "deadlock") {
  std::counting_semaphore<4> units{1};
  two_take_and_give_back_the_unit_of(units);
}
MODEL(libstdcxx, semaphore_with_a_unit_for_each) {
  std::counting_semaphore<4> units{2};
  two_take_and_give_back_the_unit_of(units);
}

}  // namespace
