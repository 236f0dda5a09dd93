// SPDX-License-Identifier: Apache-2.0
// A file_watcher's life: starting, stopping, asking, and callbacks that throw.
#include "scratch.hpp"

#include <acqrel/reload/file_watcher.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <malloc.h>
#endif

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using acqrel::deadline_after;
using acqrel::file_watcher;
using scratch::patience;
using scratch::write;

// Gives another thread time to get where a wrong implementation would fail. A right one passes without it, too.
constexpr auto a_moment = 20ms;

constexpr acqrel::watch_options never_sweeps{
    .poll_interval = 1h, .sweep_interval = 1h, .settle = 5ms, .settle_limit = 1s};

class file_watcher_life : public testing::Test {
 protected:
  file_watcher_life() { write(file, "1"); }

  // A callback that counts itself and reads the file.
  auto counting() {
    return [this] {
      content.change([&](std::string& seen) { seen = scratch::read(file); });
      calls.change([](int& count) { ++count; });
      return true;
    };
  }
  bool sees(const std::string& wanted) {
    return content.wait_until([&](const std::string& seen) { return seen == wanted; });
  }

  scratch::directory dir;
  const fs::path file = dir / "flags.json";
  scratch::observed<int> calls;
  scratch::observed<std::string> content;
};

// ---- semantics: calls ----

TEST_F(file_watcher_life, calls_once_at_the_start_and_not_again_without_a_change) {  // H2
  file_watcher watcher(file.string(), counting(), never_sweeps);
  ASSERT_TRUE(watcher.check_and_wait(deadline_after(patience)));
  const int asked_for = 1;
  EXPECT_LE(calls.get(), 1 + asked_for);
  EXPECT_EQ(content.get(), "1");
}

TEST_F(file_watcher_life, polls_an_unchanged_file_without_calling) {  // H2
  scratch::observed<int> reports;
  file_watcher watcher(file.string(),
                       [&] {
                         reports.change([](int& n) { ++n; });
                         return true;
                       },
                       {.poll_interval = 1ms, .sweep_interval = 1ms, .settle = 0ms, .force_polling = true});
  ASSERT_TRUE(reports.wait_until([](int n) { return n == 1; }));
  // A second watcher, polling as often, takes two polls to notice a change of its own file; by then the first has looked often.
  write(dir / "other", "1");
  scratch::observed<std::string> other;
  file_watcher beside((dir / "other").string(),
                      [&] {
                        other.change([&](std::string& seen) { seen = scratch::read(dir / "other"); });
                        return true;
                      },
                      {.poll_interval = 20ms, .force_polling = true});
  ASSERT_TRUE(other.wait_until([](const std::string& seen) { return seen == "1"; }));
  write(dir / "other", "2");
  ASSERT_TRUE(other.wait_until([](const std::string& seen) { return seen == "2"; }));
  EXPECT_EQ(reports.get(), 1);
}

TEST_F(file_watcher_life, calls_when_asked) {
  file_watcher watcher(file.string(), counting(), never_sweeps);
  for (int i = 0; i != 5; ++i) {
    const int before = calls.get();
    ASSERT_TRUE(watcher.check_and_wait());
    EXPECT_GT(calls.get(), before);
  }
  const int before = calls.get();
  watcher.check();
  EXPECT_TRUE(calls.wait_until([&](int count) { return count > before; }));
}

TEST_F(file_watcher_life, gives_up_waiting_at_the_deadline) {
  std::atomic<bool> go{false};
  file_watcher watcher(
      file.string(),
      [&] {
        while (!go) std::this_thread::yield();
        return true;
      },
      never_sweeps);
  EXPECT_FALSE(watcher.check_and_wait(deadline_after(5ms)));
  go = true;
  EXPECT_TRUE(watcher.check_and_wait(deadline_after(patience)));
}

TEST_F(file_watcher_life, calls_again_after_a_callback_that_was_not_content) {  // H3
  scratch::observed<int> tries;
  file_watcher watcher(file.string(),
                       [&] {
                         int number = 0;
                         tries.change([&](int& n) { number = ++n; });
                         return number == 3;
                       },
                       {.poll_interval = 1h, .sweep_interval = 2ms});
  EXPECT_TRUE(tries.wait_until([](int n) { return n == 3; }));
}

TEST_F(file_watcher_life, goes_on_after_a_callback_that_throws) {  // H18
  scratch::observed<int> tries;
  file_watcher watcher(file.string(),
                       [&]() -> bool {
                         int number = 0;
                         tries.change([&](int& n) { number = ++n; });
                         if (number == 1) throw std::runtime_error("first");
                         if (number == 2) throw 2;
                         return true;
                       },
                       {.poll_interval = 1h, .sweep_interval = 2ms});
  EXPECT_TRUE(tries.wait_until([](int n) { return n == 3; }));
  EXPECT_EQ(watcher.callback_exceptions(), 2U);
}

TEST_F(file_watcher_life, leaves_signals_to_the_programs_threads) {
  scratch::observed<std::optional<bool>> blocked;
  file_watcher watcher(
      file.string(),
      [&] {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        blocked.change(
            [&](auto& answer) { answer = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1; });
        return true;
      },
      never_sweeps);
  ASSERT_TRUE(blocked.wait_until([](const auto& answer) { return answer.has_value(); }));
  EXPECT_TRUE(*blocked.get());
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0) << "the creator's mask is as it was";
}

// ---- semantics: what is visible to whom ----
// Plain variables, ordered by nothing but the edge under test: TSan reports the race if the edge is weakened.

TEST_F(file_watcher_life, edge_checked_shows_what_the_callback_wrote) {
  int written = 0;
  file_watcher watcher(
      file.string(),
      [&] {
        ++written;
        return true;
      },
      never_sweeps);
  ASSERT_TRUE(watcher.check_and_wait());  // the call at the start is over
  for (int i = 0; i != 500; ++i) {
    const int before = written;
    ASSERT_TRUE(watcher.check_and_wait());
    EXPECT_GT(written, before);
  }
}

TEST_F(file_watcher_life, edge_asked_shows_the_callback_what_was_written_before) {
  int told = 0, heard = 0;
  std::atomic<bool> listening{false};
  file_watcher watcher(
      file.string(),
      [&] {
        if (listening.load(std::memory_order_relaxed)) heard = told;
        return true;
      },
      never_sweeps);
  ASSERT_TRUE(watcher.check_and_wait());  // the call at the start is over
  listening.store(true, std::memory_order_relaxed);
  for (int i = 1; i != 2000; ++i) {
    told = i;
    ASSERT_TRUE(watcher.check_and_wait());
    ASSERT_EQ(heard, i);
  }
}

TEST_F(file_watcher_life, edge_joined_shows_every_stopper_what_the_callbacks_wrote) {
  for (int i = 0; i != 20; ++i) {
    int written = 0;
    std::atomic<bool> called{false};
    file_watcher watcher(
        file.string(),
        [&] {
          written = 1;
          called.store(true, std::memory_order_relaxed);
          return true;
        },
        never_sweeps);
    while (!called.load(std::memory_order_relaxed)) std::this_thread::yield();
    std::vector<std::thread> stoppers;
    for (int n = 0; n != 3; ++n) {
      stoppers.emplace_back([&] {
        watcher.stop();
        EXPECT_EQ(written, 1);
      });
    }
    for (auto& stopper : stoppers) stopper.join();
  }
}

// ---- semantics: the end ----

TEST_F(file_watcher_life, makes_no_call_after_stop) {  // H16
  file_watcher watcher(file.string(), counting(), {.poll_interval = 1ms, .settle = 0ms, .force_polling = true});
  ASSERT_TRUE(sees("1"));
  watcher.stop();
  const int calls_at_stop = calls.get();
  write(file, "2");
  EXPECT_FALSE(watcher.check_and_wait(deadline_after(patience))) << "returns at once, with nothing";
  watcher.check();
  watcher.stop();
  EXPECT_EQ(calls.get(), calls_at_stop);
  EXPECT_EQ(content.get(), "1");
}

TEST_F(file_watcher_life, stops_at_once_whatever_it_is_waiting_for) {  // H16
  for (const bool settling : {false, true}) {
    auto options = never_sweeps;
    if (settling) options.settle = options.settle_limit = 1h;
    content.change([](std::string& seen) { seen.clear(); });
    file_watcher watcher(file.string(), counting(), options);
    ASSERT_TRUE(sees(scratch::read(file)));
    std::ofstream open(file, std::ios::app);
    if (settling) open << "half" << std::flush;
    std::this_thread::sleep_for(a_moment);
    const auto start = std::chrono::steady_clock::now();
    watcher.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  }
}

TEST_F(file_watcher_life, stops_from_any_number_of_threads_and_each_waits_for_the_callback) {  // H16
  std::atomic<bool> inside{false}, leave{false}, left{false};
  file_watcher watcher(
      file.string(),
      [&] {
        inside = true;
        while (!leave) std::this_thread::yield();
        left = true;
        return true;
      },
      never_sweeps);
  while (!inside) std::this_thread::yield();
  std::vector<std::thread> stoppers;
  for (int i = 0; i != 4; ++i) {
    stoppers.emplace_back([&] {
      watcher.stop();
      EXPECT_TRUE(left);
    });
  }
  std::this_thread::sleep_for(a_moment);
  leave = true;
  for (auto& stopper : stoppers) stopper.join();
  watcher.stop();
}

TEST_F(file_watcher_life, stopped_from_its_own_callback_only_requests_the_end) {  // H16
  scratch::observed<bool> returned;
  std::atomic<int> runs{0};
  std::optional<file_watcher> watcher;
  std::atomic<bool> built{false};
  watcher.emplace(
      file.string(),
      [&] {
        while (!built) std::this_thread::yield();
        ++runs;
        watcher->stop();
        watcher->stop();
        EXPECT_FALSE(watcher->check_and_wait()) << "would wait for itself";
        returned.change([](bool& done) { done = true; });
        return false;
      },
      acqrel::watch_options{.poll_interval = 1ms, .sweep_interval = 1ms});
  built = true;
  EXPECT_TRUE(returned.wait_until([](bool done) { return done; }));
  watcher.reset();
  EXPECT_EQ(runs, 1);
}

TEST_F(file_watcher_life, lets_go_of_who_waits_for_a_check_when_it_stops) {  // H16
  std::atomic<bool> go{false};
  scratch::observed<bool> inside;
  file_watcher watcher(
      file.string(),
      [&] {
        inside.change([](bool& is) { is = true; });
        while (!go) std::this_thread::yield();
        return true;
      },
      never_sweeps);
  ASSERT_TRUE(inside.wait_until([](bool is) { return is; }));
  std::thread waiter([&] { EXPECT_FALSE(watcher.check_and_wait()); });
  std::thread stopper([&] { watcher.stop(); });
  std::this_thread::sleep_for(a_moment);
  go = true;
  stopper.join();
  waiter.join();
}

#if defined(__linux__)
// The allocator's own count of bytes in use; 0 under the sanitizers, which look for leaks by themselves.
std::size_t bytes_in_use() { return mallinfo2().uordblks; }

TEST_F(file_watcher_life, leaves_nothing_behind_after_1000_starts) {  // H17
  const auto once = [&] {
    file_watcher watcher(
        file.string(), [] { return true; }, never_sweeps);
    ASSERT_TRUE(watcher.check_and_wait());  // so that it has watched and looked
  };
  // Closing an inotify instance can wait 10 ms for the kernel, so several wait together.
  const auto many = [&](int times) {
    std::vector<std::thread> starters;
    for (int n = 0; n != 20; ++n) {
      starters.emplace_back([&] {
        for (int i = 0; i != times; ++i) once();
      });
    }
    for (auto& starter : starters) starter.join();
  };
  many(1);  // what the process allocates once
  const long threads = scratch::threads_now(), descriptors = scratch::descriptors_now();
  const std::size_t bytes = bytes_in_use();
  many(50);
  EXPECT_EQ(scratch::threads_now(), threads);
  EXPECT_EQ(scratch::descriptors_now(), descriptors);
  EXPECT_LE(bytes_in_use(), bytes + 8000) << "less than any object for each start";
}
#endif

}  // namespace
