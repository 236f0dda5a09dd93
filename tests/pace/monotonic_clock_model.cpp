// Each time once; and a clock that was set back is found out once, and no other is.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/monotonic_clock.hpp>
#include <acqrel/testing/fake_clock.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using namespace std::chrono_literals;
using acqrel::testing::fake_clock;
using std::chrono::nanoseconds;

template <class Clock>
nanoseconds shown(Clock& clock) {
  return clock.now().time_since_epoch();
}

// The source document's.
class documents {
 public:
  explicit documents(fake_clock& source) : source_(source) {}
  std::chrono::sys_time<nanoseconds> now() {
    std::int64_t now = source_.now().time_since_epoch().count();
    for (;;) {
      std::int64_t last = last_.load(std::memory_order_seq_cst);
      if (now <= last) now = last + 1;
      if (last_.compare_exchange_strong(last, now, std::memory_order_seq_cst))
        return std::chrono::sys_time<nanoseconds>(nanoseconds(now));
    }
  }

 private:
  fake_clock& source_;
  std::atomic<std::int64_t> last_{0};
};

// The library's but for one thing.
enum class mistake : std::uint8_t { none, stores_the_time, adds_to_the_offset, looks_once };
template <mistake Mistake>
class twin {
 public:
  explicit twin(fake_clock& source) : source_(source) {}
  std::chrono::sys_time<nanoseconds> now() {
    for (;;) {
      std::int64_t offset = offset_.load(std::memory_order_acquire);
      std::int64_t shown = source_.now().time_since_epoch().count() + offset;
      std::int64_t last = last_.load(std::memory_order_relaxed);
      if (last - shown > std::int64_t{1'000'000}) {
        if (Mistake != mistake::looks_once) {
          last = last_.load(std::memory_order_acquire);
          shown = source_.now().time_since_epoch().count() + offset;
          if (last - shown <= std::int64_t{1'000'000}) continue;
        }
        if (Mistake == mistake::adds_to_the_offset)
          offset_.fetch_add(last - shown, std::memory_order_release);
        else
          offset_.compare_exchange_strong(offset, offset + last - shown, std::memory_order_release);
        continue;
      }
      const auto next = std::max(shown, last + 1);
      if (Mistake == mistake::stores_the_time)
        last_.store(next, std::memory_order_release);
      else if (!last_.compare_exchange_strong(last, next, std::memory_order_release, std::memory_order_relaxed))
        continue;
      return std::chrono::sys_time<nanoseconds>(nanoseconds(next));
    }
  }
  nanoseconds drift() const { return nanoseconds(offset_.load(std::memory_order_relaxed)); }

 private:
  fake_clock& source_;
  std::atomic<std::int64_t> last_{0}, offset_{0};
};

// MC1, MC2
template <class Clock>
void three_times() {
  fake_clock source;
  Clock clock(source);
  nanoseconds other[2];
  std::thread rival([&] {
    for (auto& one : other) one = shown(clock);
  });
  source.advance(1ns);
  const auto mine = shown(clock);
  rival.join();
  EXPECT_LT(other[0], other[1]);
  EXPECT_TRUE(mine != other[0] && mine != other[1]);
}

MODEL(monotonic_clock, gives_each_time_once) { three_times<acqrel::monotonic_clock>(); }
MODEL(monotonic_clock, the_small_copy_gives_each_time_once) { three_times<twin<mistake::none>>(); }
MODEL_FAILS(monotonic_clock, the_twin_that_stores_the_time, "assertion") {
  three_times<twin<mistake::stores_the_time>>();
}

// MC3. Both may find out. Nobody gets a time that is an hour ahead: with the sum that makes up for the step, and what the clock
// showed before it.
template <class Clock>
void set_back() {
  fake_clock source;
  Clock clock(source);
  const auto start = shown(clock);
  std::thread time([&] { source.advance(-1h); });
  nanoseconds other{};
  std::thread rival([&] { other = shown(clock); });
  const auto mine = shown(clock);
  rival.join();
  time.join();
  EXPECT_LE(std::max(mine, other), start + 2ns);
  EXPECT_LE(clock.drift(), 1h + 2ns);
}

MODEL(monotonic_clock, makes_up_for_a_step_back_once, .shows = {"monotonic_clock.offset"}) {
  set_back<acqrel::monotonic_clock>();
}
MODEL(monotonic_clock, the_small_copy_makes_up_for_a_step_back_once) { set_back<twin<mistake::none>>(); }
MODEL_FAILS(monotonic_clock, the_twin_that_adds_to_the_offset, "assertion") {
  set_back<twin<mistake::adds_to_the_offset>>();
}

// Who has read the clock, and is interrupted until it has moved on by more than a step, does not take that for a step back.
template <class Clock>
void interrupted() {
  fake_clock source;
  Clock clock(source);
  std::thread time([&] {
    source.advance(1h);
    static_cast<void>(clock.now());
  });
  const auto mine = shown(clock);
  time.join();
  EXPECT_EQ(clock.drift(), 0ns);
  EXPECT_LE(mine, shown(source) + 1ns);
}

MODEL(monotonic_clock, takes_no_old_reading_for_a_step_back, .shows = {"monotonic_clock.last"}) {
  interrupted<acqrel::monotonic_clock>();
}
MODEL_FAILS(monotonic_clock, the_twin_that_looks_once, "assertion") { interrupted<twin<mistake::looks_once>>(); }

template <class Clock>
void elapses() {
  fake_clock source;
  Clock clock(source);
  const auto start = shown(clock);
  source.advance(-1h);
  static_cast<void>(clock.now());
  source.advance(1000s);
  EXPECT_EQ(shown(clock), start + 1000s);
}

MODEL(monotonic_clock, goes_on_after_a_step_back) { elapses<acqrel::monotonic_clock>(); }
MODEL_FAILS(monotonic_clock, the_documents_clock_stands_for_an_hour, "assertion") { elapses<documents>(); }

}  // namespace
