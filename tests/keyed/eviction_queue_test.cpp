// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/eviction_queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>

#include "traces.hpp"

namespace {

using namespace std::chrono_literals;
using acqrel::eviction_queue;
using acqrel::steady_deadline;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int rounds = 2'000;
#else
constexpr int rounds = 40'000;
#endif

// By such a hash the queue remembers 64 numbers without mistaking one for another: times 2^64 over the golden ratio, it has
// the number as its high half.
std::size_t hash_of(int number) { return static_cast<std::size_t>(number) * (UINT64_C(0xF1DE83E19937733D) << 32); }

struct node : eviction_queue::node {
  explicit node(int n, std::uint64_t weight = 1, steady_deadline useless = steady_deadline::max())
      : eviction_queue::node(hash_of(n), weight, useless), number(n) {
    ++live;
  }
  ~node() { --live; }
  const int number;
  static inline std::atomic<int> live{0};
};
using pointer = std::shared_ptr<node>;

std::vector<int> numbers_of(eviction_queue::left& out) {
  std::vector<int> numbers;
  while (const auto one = out.take()) numbers.push_back(static_cast<node&>(*one).number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}
// Enters it, and says who left.
std::vector<int> enter(eviction_queue& queue, const pointer& one, bool enters = true,
                       steady_deadline now = steady_deadline::min()) {
  eviction_queue::left out;
  EXPECT_EQ(queue.enter(one, nullptr, out, now), enters);
  return numbers_of(out);
}
using none = std::vector<int>;

// The paper's three queues, by the letter: one list each, searched from end to end. And the overflow while there is room.
class reference {
 public:
  explicit reference(std::uint64_t bound) : bound_(bound) {}

  bool is_there(int number) const { return find(number) != nullptr; }
  void use(int number) {
    entry* const one = find(number);
    one->uses = std::min(one->uses + 1, 3);
  }
  void pin(int number, bool pinned) { find(number)->pinned = pinned; }
  void remove(int number) {
    for (auto* queue : {&small_, &main_}) queue->remove_if([&](const entry& one) { return one.number == number; });
  }
  // False: no room.
  bool enter(int number, std::uint64_t weight, std::vector<int>& out) {
    if (weight > bound_) return false;
    const bool had_room = total() + weight <= bound_;
    while (total() + weight > bound_) {
      if (!evict(out)) return false;
    }
    const auto known = std::find(ghosts_.begin(), ghosts_.end(), number);
    const bool comes_again = known != ghosts_.end() && static_cast<std::size_t>(ghosts_.end() - known) <= main_.size();
    if (known != ghosts_.end()) *known = -1;
    (comes_again ? main_ : small_).push_back({number, weight});
    while (had_room && weight_of(small_) > share() && small_.front().number != number)
      main_.splice(main_.end(), small_, small_.begin());
    return true;
  }
  std::uint64_t total() const { return weight_of(small_) + weight_of(main_); }

 private:
  struct entry {
    int number;
    std::uint64_t weight;
    int uses = 0;
    bool pinned = false;
  };
  static std::uint64_t weight_of(const std::list<entry>& queue) {
    std::uint64_t sum = 0;
    for (const entry& one : queue) sum += one.weight;
    return sum;
  }
  std::uint64_t share() const { return std::max<std::uint64_t>(bound_ / 10, 1); }
  entry* find(int number) const {
    for (auto* queue : {&small_, &main_}) {
      for (const entry& one : *queue) {
        if (one.number == number) return const_cast<entry*>(&one);
      }
    }
    return nullptr;
  }
  bool evict(std::vector<int>& out) {
    for (std::size_t looks = 4 * (small_.size() + main_.size()) + 1; looks != 0; --looks) {
      const bool from_small = !small_.empty() && (weight_of(small_) >= share() || main_.empty());
      auto& queue = from_small ? small_ : main_;
      if (queue.empty()) return false;
      entry& oldest = queue.front();
      if (!oldest.pinned && oldest.uses <= (from_small ? 1 : 0)) {
        out.push_back(oldest.number);
        if (from_small) ghosts_.push_back(oldest.number);
        queue.pop_front();
        return true;
      }
      if (oldest.uses != 0) --oldest.uses;
      main_.splice(main_.end(), queue, queue.begin());
    }
    return false;
  }

  std::uint64_t bound_;
  std::list<entry> small_, main_;
  std::vector<int> ghosts_;  // by age
};

// ---- semantics ----

TEST(eviction_queue, keeps_what_there_is_room_for) {
  eviction_queue queue(3);
  for (int n = 0; n != 3; ++n) EXPECT_EQ(enter(queue, std::make_shared<node>(n)), none());
  EXPECT_EQ(queue.weight(), 3U);
  EXPECT_EQ(enter(queue, std::make_shared<node>(3)).size(), 1U);
  EXPECT_EQ(queue.weight(), 3U);
  EXPECT_EQ(queue.size(), 3U);
}

TEST(eviction_queue, counts_weights) {
  eviction_queue queue(10);
  const auto heavy = std::make_shared<node>(1, 6), light = std::make_shared<node>(2, 0);
  EXPECT_EQ(light->weight(), 1U) << "or there would be no bound on their number";
  EXPECT_EQ(enter(queue, heavy), none());
  EXPECT_EQ(enter(queue, light), none());
  EXPECT_EQ(queue.weight(), 7U);
  EXPECT_EQ(enter(queue, std::make_shared<node>(3, 10)), (std::vector{1, 2}));
  EXPECT_EQ(enter(queue, std::make_shared<node>(4, 11), false), none()) << "nobody leaves for what does not fit";
  EXPECT_EQ(enter(queue, std::make_shared<node>(5, UINT64_MAX), false), none());
  EXPECT_EQ(queue.weight(), 10U);
}

TEST(eviction_queue, lets_one_in_for_another) {
  eviction_queue queue(2);
  const auto old = std::make_shared<node>(1), other = std::make_shared<node>(2);
  enter(queue, old);
  enter(queue, other);
  eviction_queue::left out;
  EXPECT_TRUE(queue.enter(std::make_shared<node>(1), old.get(), out));
  EXPECT_EQ(numbers_of(out), std::vector{1});
  EXPECT_EQ(queue.size(), 2U);
  eviction_queue::left again;
  queue.remove(*old, again);
  EXPECT_EQ(numbers_of(again), none());
}

// K8
TEST(eviction_queue, gives_up_nothing_that_is_pinned) {
  eviction_queue queue(2);
  const auto a = std::make_shared<node>(1), b = std::make_shared<node>(2);
  a->pin();
  b->pin();
  b->pin();
  enter(queue, a);
  enter(queue, b);
  EXPECT_EQ(enter(queue, std::make_shared<node>(3), false), none());
  b->unpin();
  EXPECT_EQ(enter(queue, std::make_shared<node>(4), false), none());
  b->unpin();
  EXPECT_EQ(enter(queue, std::make_shared<node>(5)), std::vector{2});
  EXPECT_TRUE(b->was_evicted());
  EXPECT_FALSE(a->was_evicted());
}

TEST(eviction_queue, gives_up_first_what_is_useless) {
  eviction_queue queue(3);
  const steady_deadline start(1h);
  enter(queue, std::make_shared<node>(1, 1, start + 10s));
  enter(queue, std::make_shared<node>(2, 1, start + 20s));
  const auto pinned = std::make_shared<node>(3, 1, start + 15s);
  pinned->pin();
  enter(queue, pinned);
  EXPECT_EQ(enter(queue, std::make_shared<node>(4), true, start + 10s - 1ns).size(), 1U) << "by its turn, not its time";
  eviction_queue::left out;
  queue.remove_useless(start + 20s, out);
  EXPECT_EQ(numbers_of(out).size(), 1U);
  pinned->unpin();
  queue.remove_useless(start + 15s, out);
  EXPECT_EQ(numbers_of(out), std::vector{3});
  EXPECT_EQ(queue.size(), 1U);
}

TEST(eviction_queue, lets_go_of_what_it_keeps) {
  {
    eviction_queue queue(10'000);
    for (int n = 0; n != 10'000; ++n) enter(queue, std::make_shared<node>(n));
    EXPECT_EQ(node::live, 10'000);
    const auto heavy = std::make_shared<node>(-1, 10'000);
    eviction_queue::left out;
    EXPECT_TRUE(queue.enter(heavy, nullptr, out));
  }  // ten thousand in a row: one after the other, not one within the other
  EXPECT_EQ(node::live, 0);
}

// What it does is what the paper's three lists do, in a random sequence of everything that can be done.
TEST(eviction_queue, does_as_the_reference_does) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    std::minstd_rand random(seed);
    const std::uint64_t bound = seed * 5, heaviest = seed % 2 == 0 ? 4 : 1;
    eviction_queue queue(bound);
    reference expected(bound);
    std::unordered_map<int, pointer> there;
    std::vector<int> pinned;
    for (int step = 0; step != 4000; ++step) {
      const int number = static_cast<int>(random() % 64);
      const auto found = there.find(number);
      ASSERT_EQ(found != there.end(), expected.is_there(number)) << "seed " << seed << " step " << step;
      if (found == there.end()) {
        const std::uint64_t weight = 1 + random() % heaviest;
        const auto one = std::make_shared<node>(number, weight);
        std::vector<int> should_leave;
        eviction_queue::left out;
        const bool enters = expected.enter(number, weight, should_leave);
        ASSERT_EQ(queue.enter(one, nullptr, out), enters);
        std::sort(should_leave.begin(), should_leave.end());
        const auto leave = numbers_of(out);
        ASSERT_EQ(leave, should_leave) << "seed " << seed << " step " << step;
        for (const int gone : leave) there.erase(gone);
        if (enters) there.emplace(number, one);
      } else if (const auto choice = random() % 16; choice == 0) {
        eviction_queue::left out;
        queue.remove(*found->second, out);
        expected.remove(number);
        std::erase(pinned, number);
        there.erase(found);
      } else if (choice == 1 && pinned.size() < 3) {
        if (std::find(pinned.begin(), pinned.end(), number) != pinned.end()) continue;
        found->second->pin();
        expected.pin(number, true);
        pinned.push_back(number);
      } else if (choice == 2 && !pinned.empty()) {
        there.at(pinned.back())->unpin();
        expected.pin(pinned.back(), false);
        pinned.pop_back();
      } else {
        found->second->use();
        expected.use(number);
      }
      ASSERT_EQ(queue.weight(), expected.total());
      ASSERT_LE(queue.weight(), bound);
      ASSERT_EQ(queue.size(), there.size());
    }
  }
}

template <class Trace>
double hit_rate(Trace trace) {
  eviction_queue queue(1000);
  std::unordered_map<int, pointer> there;
  return traces::hit_rate(trace, 100'000, [&](int number) {
    if (const auto found = there.find(number); found != there.end()) return found->second->use(), true;
    const auto one = std::make_shared<node>(number);
    there.emplace(number, one);
    for (const int gone : enter(queue, one)) there.erase(gone);
    return false;
  });
}
template <class Trace>
double hit_rate_of_lru(Trace trace) {
  traces::lru<int, int> lru(1000);
  return traces::hit_rate(trace, 100'000, [&](int number) {
    if (lru.find(number) != nullptr) return true;
    lru.insert(number, number);
    return false;
  });
}

TEST(eviction_queue, hits_more_than_lru_where_popularity_is_uneven_and_changes) {
  const traces::zipf_with_churn trace(10'000);
  const double ours = hit_rate(trace), theirs = hit_rate_of_lru(trace);
  std::cout << "zipf with churn: " << ours << ", LRU " << theirs << '\n';
  EXPECT_GT(ours, 1.1 * theirs);
}

TEST(eviction_queue, keeps_a_part_of_a_loop_of_which_lru_keeps_nothing) {
  for (const int length : {1100, 1500, 2000, 5000}) {
    const double ours = hit_rate(traces::loop(length)), theirs = hit_rate_of_lru(traces::loop(length));
    std::cout << "loop of " << length << ": " << ours << ", LRU " << theirs << '\n';
    EXPECT_EQ(theirs, 0);
    EXPECT_GT(ours, 0.6 * 1000 / length);
  }
}

// ---- stress ----

// All threads enter nodes of their own, use those of all, pin and remove some. Each node that entered leaves exactly once,
// by who gets it from `left`; what is pinned leaves only by a remove of its owner; the weight is never above the bound.
TEST(eviction_queue_stress, lets_each_node_leave_once) {
  constexpr int threads = 3, per_thread = 64;
  eviction_queue queue(40);
  std::atomic<int> entered{0}, gone{0};
  std::atomic<bool> wrong{false};
  std::mutex mutex;  // guards what follows
  std::vector<pointer> board(threads * per_thread);
  std::vector<std::atomic<int>> exits(static_cast<std::size_t>(threads) * rounds);
  const auto count = [&](eviction_queue::left& out) {
    while (const auto one = out.take()) {
      ++gone;
      if (exits[static_cast<std::size_t>(static_cast<node&>(*one).number)].fetch_add(1) != 0) wrong = true;
    }
  };
  const auto run = [&](int thread) {
    std::minstd_rand random(static_cast<unsigned>(thread) + 1);
    for (int i = 0; i != rounds; ++i) {
      const auto mine = std::make_shared<node>(thread * rounds + i);
      const bool pinned = random() % 4 == 0;
      if (pinned) mine->pin();
      {
        eviction_queue::left out;
        if (queue.enter(mine, nullptr, out)) ++entered;
        count(out);
      }
      if (queue.weight() > 40) wrong = true;
      {
        const std::lock_guard lock(mutex);
        board[static_cast<std::size_t>(thread * per_thread) + random() % per_thread] = mine;
      }
      const auto some = [&] {
        const std::lock_guard lock(mutex);
        return board[random() % board.size()];
      };
      if (const auto any = some()) any->use();
      if (pinned) {
        if (mine->was_evicted()) wrong = true;
        mine->unpin();
      }
      if (const auto any = some(); any && random() % 4 == 0) {
        eviction_queue::left out;
        queue.remove(*any, out);
        count(out);
      }
    }
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread != threads; ++thread) others.emplace_back(run, thread);
  run(0);
  for (auto& other : others) other.join();
  EXPECT_FALSE(wrong);
  EXPECT_EQ(static_cast<std::size_t>(entered - gone), queue.size());
  EXPECT_GT(gone, rounds);
}

}  // namespace
