// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/thread_cells.hpp>

#include <gtest/gtest.h>

#include <barrier>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using acqrel::thread_cells;

constexpr std::size_t line = 64;
std::uintptr_t line_of(const void* at) { return reinterpret_cast<std::uintptr_t>(at) / line; }

// ---- semantics ----

TEST(thread_cells, adds_up_what_each_thread_wrote) {
  thread_cells words(3);
  std::vector<std::thread> all;
  for (std::uint64_t t = 1; t != 5; ++t) {
    all.emplace_back([&, t] {
      for (std::size_t i = 0; i != 3; ++i) thread_cells::add(words.mine()[i], t * (i + 1));
    });
  }
  for (auto& each : all) each.join();
  EXPECT_EQ(words.sum(0), 10U);
  EXPECT_EQ(words.sum(1), 20U);
  EXPECT_EQ(words.sum(2), 30U);
}

// C4
TEST(thread_cells, gives_no_two_threads_words_of_one_line) {
  thread_cells words(1), more(thread_cells::most);
  std::barrier all_there(4);
  std::set<std::uintptr_t> lines[4];
  std::vector<std::thread> all;
  for (std::set<std::uintptr_t>& mine : lines) {
    all.emplace_back([&] {
      mine.insert(line_of(words.mine()));
      for (std::size_t i = 0; i != thread_cells::most; ++i) mine.insert(line_of(more.mine() + i));
      all_there.arrive_and_wait();  // so that none gets the record of one that has ended
    });
  }
  for (auto& each : all) each.join();
  std::set<std::uintptr_t> together;
  std::size_t count = 0;
  for (const auto& mine : lines) {
    together.insert(mine.begin(), mine.end());
    count += mine.size();
  }
  EXPECT_EQ(together.size(), count);
}

TEST(thread_cells, are_apart_from_all_others) {
  std::vector<std::unique_ptr<thread_cells>> all;
  std::set<thread_cells::cell*> seen;
  for (std::size_t i = 0; i != 200; ++i) {
    all.push_back(std::make_unique<thread_cells>(1 + i % 7));
    for (std::size_t w = 0; w != 1 + i % 7; ++w) {
      EXPECT_TRUE(seen.insert(all.back()->mine() + w).second);
      thread_cells::add(all.back()->mine()[w], i);
    }
  }
  for (std::size_t i = 0; i != 200; ++i) {
    for (std::size_t w = 0; w != 1 + i % 7; ++w) EXPECT_EQ(all[i]->sum(w), i);
  }
}

TEST(thread_cells, hold_doubles_too) {
  thread_cells words(1);
  thread_cells::add_double(*words.mine(), 0.5);
  std::thread([&] { thread_cells::add_double(*words.mine(), -2); }).join();
  double sum = 0;
  words.for_each(0, [&](std::uint64_t bits) { sum += std::bit_cast<double>(bits); });
  EXPECT_EQ(sum, -1.5);
}

TEST(thread_cells, begin_at_zero_where_others_counted_before_them) {
  thread_cells::cell* place;
  {
    thread_cells words(thread_cells::most);
    place = words.mine();
    for (std::size_t i = 0; i != thread_cells::most; ++i) thread_cells::add(place[i], 7);
    std::thread([&] { thread_cells::add(*words.mine(), 7); }).join();
  }
  thread_cells words(thread_cells::most);
  EXPECT_EQ(words.mine(), place);  // or the test is of nothing
  for (std::size_t i = 0; i != thread_cells::most; ++i) EXPECT_EQ(words.sum(i), 0U);
}

TEST(thread_cells, keep_what_threads_wrote_that_have_ended_and_use_their_memory_again) {
  thread_cells words(1);
  std::set<thread_cells::cell*> places;
  for (int i = 0; i != 100; ++i) {
    std::thread([&] {
      places.insert(words.mine());
      thread_cells::add(*words.mine(), 1);
    }).join();
  }
  EXPECT_EQ(words.sum(0), 100U);
  EXPECT_LE(places.size(), 2U);
}

TEST(thread_cells, count_until_the_last_destructor_of_a_thread) {
  static thread_cells words(1);
  struct late {
    ~late() { thread_cells::add(*words.mine(), 1); }
  };
  std::thread([] {
    thread_local late one;
    (void)&one;
  }).join();
  EXPECT_EQ(words.sum(0), 1U);
}

TEST(thread_cells, refuse_what_has_no_room) {
  EXPECT_THROW(thread_cells(0), std::length_error);
  EXPECT_THROW(thread_cells(thread_cells::most + 1), std::length_error);
  std::vector<std::unique_ptr<thread_cells>> all;
  try {
    for (std::size_t i = 0; i != 1000; ++i) all.push_back(std::make_unique<thread_cells>(thread_cells::most));
    FAIL() << "no end";
  } catch (const std::length_error& full) {
    EXPECT_NE(std::string(full.what()).find("32768 words"), std::string::npos) << full.what();
  }
  all.pop_back();
  thread_cells after(thread_cells::most);
  EXPECT_EQ(after.sum(0), 0U);
}

#if !defined(__SANITIZE_THREAD__)
TEST(thread_cells, go_on_in_the_child_of_a_fork) {
  thread_cells words(1);
  thread_cells::add(*words.mine(), 2);
  const pid_t child = fork();
  if (child == 0) {
    thread_cells::add(*words.mine(), 1);
    std::thread([&] { thread_cells::add(*words.mine(), 1); }).join();
    _exit(words.sum(0) == 4 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(words.sum(0), 2U);
}
#endif

// ---- stress ----

// Oracle: threads come and go, each counts so many times in a row; whoever reads sees the sum never fall, and never more
// than was begun; when all have ended it is exact.
TEST(thread_cells_stress, lose_nothing_while_threads_come_and_go) {
  constexpr int threads = 3, generations = 40, counts = 500;
  thread_cells words(1);
  std::atomic<std::uint64_t> begun{0};
  std::atomic<bool> done{false};
  std::thread reader([&] {
    std::uint64_t before = 0;
    while (!done) {
      const std::uint64_t now = words.sum(0);
      EXPECT_GE(now, before);
      EXPECT_LE(now, begun.load());
      before = now;
    }
  });
  std::vector<std::thread> all;
  for (int t = 0; t != threads; ++t) {
    all.emplace_back([&] {
      for (int g = 0; g != generations; ++g) {
        std::thread([&] {
          for (int i = 0; i != counts; ++i) {
            begun.fetch_add(1);
            thread_cells::add(*words.mine(), 1);
          }
        }).join();
      }
    });
  }
  for (auto& each : all) each.join();
  done = true;
  reader.join();
  EXPECT_EQ(words.sum(0), std::uint64_t{threads} * generations * counts);
}

}  // namespace
