// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/reclaim/hazard.hpp>

#include "../checked_value.hpp"
#include "counted_object.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <latch>
#include <pthread.h>
#include <random>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using acqrel::drain;
using acqrel::snapshot_guard;
using acqrel::snapshot_ptr;
using acqrel::snapshot_source;

namespace {

std::unique_ptr<checked> make(long n) { return std::make_unique<checked>(n); }

struct guard_holder {
  explicit guard_holder(const snapshot_source<checked>& s) : guard(s.read()) {}
  snapshot_guard<checked> guard;
};

// How many records the domain has: hazard_this_thread of ever new threads, all alive at once, are
// distinct; a thread that ended gives its record back.
std::size_t distinct_records(std::size_t threads) {
  std::vector<acqrel::hazard_record*> seen(threads);
  std::latch ready(static_cast<std::ptrdiff_t>(threads)), all(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::thread> running;
  static snapshot_source<checked> source{make(1)};
  for (auto& mine : seen) {
    running.emplace_back([&] {
      ready.arrive_and_wait();
      (void)source.read()->number;
      mine = acqrel::hazard_this_thread;
      all.arrive_and_wait();
    });
  }
  for (auto& t : running) t.join();
  std::sort(seen.begin(), seen.end());
  return static_cast<std::size_t>(std::unique(seen.begin(), seen.end()) - seen.begin());
}

// ---- semantics ----

TEST(hazard, protects_what_a_cell_holds_until_released) {
  int deaths = 0;
  acqrel::hazard_cell cell(new counted_object(&deaths));
  const acqrel::hazard_protection p = acqrel::hazard_protect(cell);
  EXPECT_EQ(p.object->value(), p.object);
  acqrel::hazard_replace(cell, &acqrel::hazard_nothing);
  drain();
  EXPECT_EQ(deaths, 0);
  acqrel::hazard_release(p);
  EXPECT_EQ(deaths, 1);
}

TEST(hazard, hands_a_protected_object_to_each_of_its_holders) {
  // The scan finds the object in more slots than one record has, and in each nobody counted it.
  int deaths = 0;
  acqrel::hazard_cell cell(new counted_object(&deaths));
  constexpr int holders = 80;  // more than a scan handles at a time
  std::latch held(holders), go_on(1), released(holders - 1), last(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < holders; ++t) {
    threads.emplace_back([&, t] {
      const acqrel::hazard_protection p = acqrel::hazard_protect(cell);
      held.count_down();
      (t == 0 ? last : go_on).wait();
      acqrel::hazard_release(p);
      if (t != 0) released.count_down();
    });
  }
  held.wait();
  acqrel::hazard_replace(cell, &acqrel::hazard_nothing);
  drain();
  go_on.count_down();
  released.wait();
  EXPECT_EQ(deaths, 0);
  last.count_down();
  for (auto& t : threads) t.join();
  EXPECT_EQ(deaths, 1) << "the last to let go destroys, without another scan";
}

TEST(hazard, takes_back_a_reference_that_no_slot_wants_any_more) {
  // The same slot holds one object, then another, while both are scanned.
  int deaths = 0;
  acqrel::hazard_cell a(new counted_object(&deaths)), b(new counted_object(&deaths));
  for (int n = 0; n < 100; ++n) {
    const acqrel::hazard_protection first = acqrel::hazard_protect(a);
    acqrel::hazard_replace(a, new counted_object(&deaths));
    drain();
    acqrel::hazard_release(first);
    const acqrel::hazard_protection second = acqrel::hazard_protect(b);
    EXPECT_EQ(first.where, second.where) << "not the same slot";
    acqrel::hazard_replace(b, new counted_object(&deaths));
    drain();
    drain();
    acqrel::hazard_release(second);
    EXPECT_EQ(deaths, 2 * (n + 1));
  }
  acqrel::hazard_replace(a, &acqrel::hazard_nothing);
  acqrel::hazard_replace(b, &acqrel::hazard_nothing);
  drain();
  EXPECT_EQ(deaths, 202);
}

TEST(hazard, reuses_the_records_of_threads_that_ended) {
  for (int n = 0; n < 50; ++n) EXPECT_EQ(distinct_records(20), 20u);
  std::vector<acqrel::hazard_record*> seen;
  snapshot_source<checked> source{make(1)};
  for (int n = 0; n < 500 / fewer_when_sanitized; ++n) {
    std::thread([&] {
      (void)source.read()->number;
      seen.push_back(acqrel::hazard_this_thread);
    }).join();
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()) - seen.begin(), 1);
}

TEST(hazard, lets_thread_local_destructors_hold_read_and_publish) {
  const long before = live_now();
  {
    static snapshot_source<checked>* source;
    snapshot_source<checked> mine{make(1)};
    source = &mine;
    struct at_exit {
      snapshot_ptr<checked> kept = source->get_snapshot();
      snapshot_guard<checked> guard = source->read();  // ends with the thread
      ~at_exit() {
        if (!kept->whole() || !guard->whole()) std::abort();
        source->update([](const checked& old) { return make(old.number + 1); });
        if (!source->read()->whole()) std::abort();
      }
    };
    for (int n = 0; n < 100; ++n) {
      std::thread([] {
        static thread_local at_exit user;
        EXPECT_TRUE(user.kept->whole());
      }).join();
    }
    EXPECT_EQ(mine.read()->number, 101);
    std::thread([] {
      static thread_local at_exit unread;
      (void)unread;
    }).join();
  }
  EXPECT_EQ(live_now(), before);
}

TEST(hazard, scans_when_a_thread_that_retired_something_ends) {
  const long before = live_now();
  snapshot_source<checked> source{make(0)};
  std::thread([&] {
    for (long n = 1; n <= 1000; ++n) source.publish(make(n));
  }).join();
  EXPECT_EQ(checked::live, before + 1) << "the storm's remainder outlived its thread";
}

TEST(hazard, keeps_the_record_of_a_thread_whose_guard_outlives_it) {
  const long before = live_now();
  {
    snapshot_source<checked> source{make(1)};
    std::unique_ptr<guard_holder> left_behind;
    acqrel::hazard_record* record = nullptr;
    std::thread([&] {
      left_behind = std::make_unique<guard_holder>(source);
      record = acqrel::hazard_this_thread;
    }).join();
    source.publish(make(2));
    drain();
    EXPECT_TRUE(left_behind->guard->whole());
    std::thread([&] {
      EXPECT_EQ(source.read()->number, 2);
      EXPECT_NE(acqrel::hazard_this_thread, record);
    }).join();
    left_behind.reset();
  }
  EXPECT_EQ(live_now(), before);
}

TEST(hazard, lets_a_forked_child_read_publish_and_reclaim) {
  const long before = live_now();
  snapshot_source<checked> source{make(-1)};
  std::latch updating(1), old_held(1), new_held(1), done(1);
  // Threads that do not exist in the child: one inside an update of version -1, one inside a guard of
  // version 0, which is replaced, and one of version 1, which is current.
  std::thread updater([&] {
    source.update([&](const checked& old) {
      if (old.number == -1) {
        updating.count_down();
        done.wait();
      }
      return make(old.number + 1);
    });
  });
  updating.wait();
  source.publish(make(0));
  const auto hold = [&](std::latch& held) {
    const auto guard = source.read();
    held.count_down();
    done.wait();
    EXPECT_TRUE(guard->whole());
  };
  std::thread old_reader(hold, std::ref(old_held));
  old_held.wait();
  source.publish(make(1));
  std::thread new_reader(hold, std::ref(new_held));
  new_held.wait();
  auto mine = std::make_unique<guard_holder>(source);  // lives on in the child
  const pid_t child = fork();
  if (child == 0) {
    if (!mine->guard->whole() || source.read()->number != 1) _exit(1);
    for (long n = 2; n < 3000; ++n) source.publish(make(n));
    if (!source.update([](const checked& old) { return make(old.number + 1); })) _exit(2);
    if (source.read()->number != 3000 || !mine->guard->whole()) _exit(3);
    mine.reset();
    drain();
    // The readers' guards are gone with their threads: the one that a scan had seen, and the one that
    // none had. What is left is the current version, and what the updater's variable counts.
    _exit(checked::live == before + 2 ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "the child's step of that number went wrong";
  done.count_down();
  old_reader.join();
  new_reader.join();
  updater.join();
}

// ---- signal handlers ----

snapshot_source<checked>* handler_source;
std::atomic<long> handled, handler_saw_broken;

void read_in_handler(int) {
  const int saved = errno;
  {
    const acqrel::hazard_signal_scope scope;
    const auto outer = handler_source->read();
    const auto inner = handler_source->read();
    if (!outer->whole() || !inner->whole()) handler_saw_broken.fetch_add(1);
    handled.fetch_add(1);
  }
  errno = saved;
}

// A reader nests guards beyond its slots while signals hit it everywhere and a writer storms: each
// version read is whole, in the handler and under it, and in the end exactly one is alive.
TEST(hazard_stress, may_be_used_in_a_signal_handler_of_a_thread_that_has_read) {
  const long before = live_now();
  {
    snapshot_source<checked> source{make(0)};
    handler_source = &source;
    handled = handler_saw_broken = 0;
    struct sigaction action = {}, old = {};
    action.sa_handler = read_in_handler;
    sigaction(SIGUSR1, &action, &old);
    std::atomic<bool> stop{false};
    std::atomic<long> broken{0};
    std::latch has_read(1);
    std::thread reader([&] {
      const auto nest = [&](const auto& self, int depth) -> void {
        const auto guard = source.read();
        if (depth != 0) self(self, depth - 1);
        if (!guard->whole()) broken.fetch_add(1);
      };
      nest(nest, 0);
      has_read.count_down();
      for (int n = 0; !stop.load(std::memory_order_relaxed); ++n) {
        nest(nest, n % 6);
        const snapshot_ptr<checked> kept = source.get_snapshot();
        if (!kept->whole()) broken.fetch_add(1);
      }
    });
    has_read.wait();
    std::thread writer([&] {
      for (long n = 1; !stop.load(std::memory_order_relaxed); ++n) source.publish(make(n));
    });
    // Each round trip may take a time slice where more threads than CPUs run, so time bounds the number.
    const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    long signals = 0;
    while (signals < 20 || (signals < 3000 && std::chrono::steady_clock::now() < enough)) {
      pthread_kill(reader.native_handle(), SIGUSR1);
      while (handled.load() <= signals) std::this_thread::yield();
      ++signals;
    }
    stop = true;
    reader.join();
    writer.join();
    sigaction(SIGUSR1, &old, nullptr);
    EXPECT_EQ(handled, signals);
    EXPECT_EQ(handler_saw_broken, 0);
    EXPECT_EQ(broken, 0);
  }
  EXPECT_EQ(live_now(), before);
}

TEST(hazard, destroys_after_the_handler_what_a_handler_was_the_last_to_hold) {
  const long before = live_now();
  {
    snapshot_source<checked> source{make(1)};
    {
      const acqrel::hazard_signal_scope scope;
      {
        const auto guard = source.read();
        source.publish(make(2));
        drain();
      }
      EXPECT_EQ(checked::live, before + 2) << "destroyed inside the scope";
    }
    drain();
    EXPECT_EQ(checked::live, before + 1);
  }
  EXPECT_EQ(live_now(), before);
}

// ---- stress ----
// Threads come and go, each with a few guards and counted pointers over two cells whose values
// keep each other alive in turn. In the end nothing is left.
TEST(hazard_stress, loses_nothing_while_threads_come_and_go) {
  const long before = live_now();
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::atomic<long> broken{0};
  {
    snapshot_source<checked> a{make(0)}, b{make(0)};
    for (int round = 0; round < 100 / fewer_when_sanitized; ++round) {
      std::vector<std::thread> threads;
      for (unsigned t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
          std::mt19937 random(seed + 6 * static_cast<unsigned>(round) + t);
          snapshot_ptr<checked> kept;
          for (int n = 0; n < 300; ++n) {
            auto& first = random() % 2 != 0 ? a : b;
            auto& second = random() % 2 != 0 ? a : b;
            const auto guard = first.read();
            if (random() % 4 == 0) kept = snapshot_ptr<checked>(guard);
            if (random() % 4 == 0) second.publish(make(n));
            const auto other = second.read();
            if (random() % 64 == 0) std::this_thread::yield();
            if (!guard->whole() || !other->whole() || (kept && !kept->whole())) broken.fetch_add(1);
          }
        });
      }
      for (auto& t : threads) t.join();
    }
  }
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(live_now(), before);
}

}  // namespace
