// A lease, or the place for one, goes to one who waits for it, or to nobody; and all that was dialled is destroyed once.
// Twins of the real code stand in tests/twins/twins.py.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/resource_pool.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace {

constexpr auto at_once = acqrel::steady_deadline::min();  // time is up before the wait begins, which still queues

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

struct thing {
  explicit thing(int& made) : serial(++made) {}
  thing(const thing&) = delete;
  thing& operator=(const thing&) = delete;
  const int serial;
  int written = 0;
};

// A pool of one thing; counted on the stack of the test, whose threads have ended when it looks.
struct one_thing {
  int made = 0;
  acqrel::resource_pool<int, thing> pool{[this](int, const std::stop_token&) { return thing(made); },
                                         {.most_per_key = 1}};
};

MODEL(resource_pool, shows_who_waits_what_its_last_holder_wrote, .shows = {"channel.settled"}) {
  const futex mode;
  one_thing of;
  auto mine = of.pool.acquire(1);
  std::thread next([&] {
    const auto got = of.pool.acquire(1);
    EXPECT_EQ(got->written, 2);
  });
  mine->written = 2;
  mine.reset();
  next.join();
  EXPECT_EQ(of.made, 1);
}

MODEL(resource_pool, loses_nothing_to_one_who_gives_up) {  // K10
  const futex mode;
  one_thing of;
  auto mine = of.pool.acquire(1);
  std::thread next([&] {
    const auto got = of.pool.acquire_until(1, at_once);
    EXPECT_EQ(got ? got->written : 2, 2);
  });
  mine->written = 2;
  mine.reset();
  next.join();
  const auto now = of.pool.count(1);
  EXPECT_EQ(now.open, 1U);
  EXPECT_EQ(now.idle, 1U);
  EXPECT_EQ(now.waiting, 0U);
}

MODEL(resource_pool, lets_who_waits_go_when_it_is_closed) {
  const futex mode;
  one_thing of;
  auto mine = of.pool.acquire(1);
  std::thread next([&] { EXPECT_FALSE(of.pool.acquire(1)); });
  of.pool.close();
  next.join();
  EXPECT_EQ(of.pool.count().open, 1U);
  mine.reset();
  EXPECT_EQ(of.pool.count().open, 0U);
}

MODEL(resource_pool, hands_over_or_lets_go_who_waits_when_it_is_closed) {
  const futex mode;
  one_thing of;
  auto mine = of.pool.acquire(1);
  std::thread next([&] { (void)of.pool.acquire(1).operator bool(); });
  std::thread closer([&] { of.pool.close(); });
  mine.reset();
  next.join();
  closer.join();
  EXPECT_EQ(of.pool.count().open, 0U);
}

MODEL(resource_pool, lets_who_waits_dial_when_one_is_broken) {  // K9
  const futex mode;
  one_thing of;
  auto mine = of.pool.acquire(1);
  std::thread next([&] { EXPECT_EQ(of.pool.acquire(1)->serial, 2); });
  mine.mark_broken();
  mine.reset();
  next.join();
  EXPECT_EQ(of.pool.count().open, 1U);
}

MODEL(resource_pool, forgets_no_place_when_who_would_dial_gives_up) {
  const futex mode;
  one_thing of;
  auto mine = of.pool.acquire(1);
  std::thread next([&] {
    const auto got = of.pool.acquire_until(1, at_once);
    EXPECT_EQ(got ? got->serial : 2, 2);
  });
  mine.mark_broken();
  mine.reset();
  next.join();
  EXPECT_EQ(of.pool.count().open, of.pool.count().idle);
  EXPECT_TRUE(of.pool.acquire(1));
}

// Whichever ends first, the other ends it all.
MODEL(resource_pool, ends_with_its_last_lease, .report_leaks = true) {
  const futex mode;
  int made = 0;
  using pool_type = acqrel::resource_pool<int, thing>;
  auto pool = std::make_unique<pool_type>([&made](int, const std::stop_token&) { return thing(made); });
  auto mine = pool->acquire(1);
  std::thread holder([&] { mine.reset(); });
  pool.reset();
  holder.join();
}

}  // namespace
