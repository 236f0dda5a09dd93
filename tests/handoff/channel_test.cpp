// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/channel.hpp>

#include "../signal/asleep.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::bounded;
using acqrel::channel;
using acqrel::rendezvous;
using acqrel::unbounded;
using std::chrono::steady_clock;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int scale = 1;
#else
constexpr int scale = 10;
#endif

const acqrel::channel_capacity every_capacity[] = {rendezvous, bounded(1), bounded(3), bounded(200), unbounded};

// ---- semantics ----

TEST(channel, keeps_items_in_order_up_to_its_capacity) {
  channel<int> numbers(bounded(3));
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(numbers.try_send(std::move(i)));
  EXPECT_FALSE(numbers.try_send(4));
  EXPECT_EQ(numbers.receive(), 1);
  EXPECT_TRUE(numbers.try_send(4));
  for (int i = 2; i <= 4; ++i) EXPECT_EQ(numbers.try_receive(), i);
  EXPECT_EQ(numbers.try_receive(), std::nullopt);
}

TEST(channel, without_a_bound_takes_all) {
  channel<int> numbers(unbounded);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(numbers.try_send(int{i}));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(numbers.try_receive(), i);
}

TEST(channel, of_no_capacity_needs_both_sides_at_once) {
  channel<int> numbers(rendezvous);
  EXPECT_FALSE(numbers.try_send(1));
  EXPECT_EQ(numbers.try_receive(), std::nullopt);
  EXPECT_FALSE(numbers.send_for(1, 1ms));
  EXPECT_EQ(numbers.receive_for(1ms), std::nullopt);
  std::optional<int> got;
  sleeper receiver([&] { got = numbers.receive(); });
  receiver.until_asleep();
  while (!numbers.try_send(7)) std::this_thread::yield();
  receiver.join();
  EXPECT_EQ(got, 7);
}

TEST(channel, moves_what_can_only_be_moved_and_moves_it_straight) {
  struct counted {
    explicit counted(int* count) : moves(count) {}
    counted(counted&& other) noexcept : moves(other.moves) { ++*moves; }
    int* moves;
  };
  for (const auto capacity : {rendezvous, unbounded}) {
    int moves = 0;
    channel<counted> items(capacity);
    std::thread sender([&] { EXPECT_TRUE(items.send(counted(&moves))); });
    (void)items.receive();
    sender.join();
    EXPECT_EQ(moves, capacity.items == 0 ? 1 : 2);
  }
  channel<std::unique_ptr<int>> pointers(bounded(1));
  EXPECT_TRUE(pointers.send(std::make_unique<int>(5)));
  EXPECT_EQ(**pointers.receive(), 5);
}

TEST(channel, leaves_with_the_sender_what_it_refuses) {
  channel<std::unique_ptr<int>> full(bounded(1));
  EXPECT_TRUE(full.send(std::make_unique<int>(1)));
  auto mine = std::make_unique<int>(2);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(full.try_send(std::move(mine)));
  EXPECT_FALSE(full.send(std::move(mine), stop.get_token()));
  EXPECT_FALSE(full.send_for(std::move(mine), 1ms));
  EXPECT_FALSE(full.send_for(std::move(mine), 1h, stop.get_token()));
  EXPECT_FALSE(full.send_until(std::move(mine), steady_clock::time_point::min()));
  EXPECT_FALSE(full.send_until(std::move(mine), steady_clock::time_point::max(), stop.get_token()));
  full.close();
  EXPECT_FALSE(full.send(std::move(mine)));
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(*mine, 2);
}

TEST(channel, gives_up_receiving_in_time_and_never_early) {
  channel<int> empty(unbounded);
  std::stop_source stop;
  const auto before = steady_clock::now();
  EXPECT_EQ(empty.receive_for(3ms), std::nullopt);
  EXPECT_GE(steady_clock::now() - before, 3ms);
  EXPECT_EQ(empty.receive_for(3ms, stop.get_token()), std::nullopt);
  EXPECT_EQ(empty.receive_until(steady_clock::now() - 1h), std::nullopt);
  stop.request_stop();
  EXPECT_EQ(empty.receive(stop.get_token()), std::nullopt);
  EXPECT_EQ(empty.receive_until(steady_clock::time_point::max(), stop.get_token()), std::nullopt);
  EXPECT_FALSE(empty.drained());
}

TEST(channel, has_an_item_even_when_time_is_up) {
  channel<int> numbers(bounded(1));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(numbers.send_for(1, -1s, stop.get_token()));
  EXPECT_EQ(numbers.receive_until(steady_clock::time_point::min(), stop.get_token()), 1);
}

TEST(channel, refuses_after_close_and_receives_the_rest) {
  for (const auto capacity : {bounded(3), unbounded}) {
    channel<int> numbers(capacity);
    EXPECT_TRUE(numbers.send(1));
    EXPECT_TRUE(numbers.send(2));
    EXPECT_FALSE(numbers.closed());
    numbers.close();
    numbers.close();
    EXPECT_TRUE(numbers.closed());
    EXPECT_FALSE(numbers.send(3));
    EXPECT_FALSE(numbers.try_send(3));
    EXPECT_FALSE(numbers.drained());
    EXPECT_EQ(numbers.receive(), 1);
    EXPECT_EQ(numbers.receive(), 2);
    EXPECT_TRUE(numbers.drained());
    EXPECT_EQ(numbers.receive(), std::nullopt);
  }
  channel<int> numbers(rendezvous);
  numbers.close();
  EXPECT_TRUE(numbers.drained());
  EXPECT_FALSE(numbers.send(1));
  EXPECT_EQ(numbers.receive(), std::nullopt);
}

TEST(channel, wakes_all_who_wait_when_it_is_closed_from_either_side) {
  for (const auto capacity : every_capacity) {
    channel<int> numbers(capacity);
    {
      sleeper one([&] { EXPECT_EQ(numbers.receive(), std::nullopt); });
      sleeper two([&] { EXPECT_EQ(numbers.receive(), std::nullopt); });
      one.until_asleep();
      two.until_asleep();
      numbers.close();
    }
    channel<int> full(capacity.items > 3 ? bounded(1) : capacity);
    while (full.try_send(1)) {
    }
    sleeper one([&] { EXPECT_FALSE(full.send(2)); });
    sleeper two([&] { EXPECT_FALSE(full.send(3)); });
    one.until_asleep();
    two.until_asleep();
    full.close();
  }
}

TEST(channel, ends_a_range_for_when_it_is_closed_and_empty) {
  channel<std::string> words(unbounded);
  for (const char* word : {"once", "upon", "a", "time"}) EXPECT_TRUE(words.send(word));
  words.close();
  std::string all;
  for (std::string& word : words) all += std::move(word);
  EXPECT_EQ(all, "onceuponatime");
}

TEST(channel, lets_those_who_wait_go_in_the_order_in_which_they_came) {
  for (const auto capacity : {rendezvous, unbounded}) {
    channel<int> numbers(capacity);
    std::optional<int> first, second;
    sleeper one([&] { first = numbers.receive(); });
    one.until_asleep();
    sleeper two([&] { second = numbers.receive(); });
    two.until_asleep();
    EXPECT_TRUE(numbers.send(1));
    EXPECT_TRUE(numbers.send(2));
    one.join();
    two.join();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 2);
  }
}

TEST(channel, destroys_what_nobody_received) {
  const auto counted = std::make_shared<int>();
  {
    channel<std::shared_ptr<int>> items(unbounded);
    for (int i = 0; i != 300; ++i) EXPECT_TRUE(items.send(std::shared_ptr<int>(counted)));
    for (int i = 0; i != 200; ++i) EXPECT_TRUE(items.receive());
    EXPECT_EQ(counted.use_count(), 101);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

// Throws when it is moved and *fuse burns down to 0.
struct fragile {
  fragile(int which, int* burning) : number(which), fuse(burning) {}
  fragile(fragile&& other) : number(other.number), fuse(other.fuse) {
    if (--*fuse == 0) throw std::runtime_error("moved too often");
    other.number = 0;
  }
  int number;
  int* fuse;
};

TEST(channel, leaves_an_item_whose_move_throws_with_the_sender) {  // L8
  int fuse = 1;
  channel<fragile> items(bounded(1));
  fragile mine(5, &fuse);
  EXPECT_THROW((void)items.send(std::move(mine)), std::runtime_error);
  EXPECT_EQ(mine.number, 5);
  EXPECT_FALSE(items.try_receive());
  EXPECT_TRUE(items.try_send(std::move(mine)));  // its room was given back
}

TEST(channel, leaves_an_item_whose_move_throws_the_next_to_be_received) {  // L8
  int fuse = 0;
  channel<fragile> items(bounded(2));
  EXPECT_TRUE(items.send(fragile(5, &fuse)));
  EXPECT_TRUE(items.send(fragile(6, &fuse)));
  fuse = 1;
  EXPECT_THROW((void)items.receive(), std::runtime_error);
  EXPECT_FALSE(items.try_send(fragile(7, &fuse)));
  EXPECT_EQ(items.receive()->number, 5);
  EXPECT_EQ(items.receive()->number, 6);
}

TEST(channel, of_no_capacity_leaves_an_item_whose_move_throws_with_a_sender_who_goes_on_waiting) {  // L8
  int fuse = 1;
  channel<fragile> items(rendezvous);
  fragile mine(5, &fuse);
  sleeper sender([&] { EXPECT_TRUE(items.send(std::move(mine))); });
  sender.until_asleep();
  EXPECT_THROW((void)items.receive(), std::runtime_error);
  EXPECT_EQ(mine.number, 5);
  EXPECT_EQ(items.receive()->number, 5);
}

TEST(channel, of_no_capacity_lets_a_receiver_go_on_waiting_when_the_senders_move_throws) {  // L8
  int fuse = 1;
  channel<fragile> items(rendezvous);
  sleeper receiver([&] { EXPECT_EQ(items.receive()->number, 5); });
  receiver.until_asleep();
  fragile mine(5, &fuse);
  EXPECT_THROW((void)items.send(std::move(mine)), std::runtime_error);
  EXPECT_EQ(mine.number, 5);
  EXPECT_TRUE(items.send(std::move(mine)));
}

TEST(channel, holds_no_lock_while_items_are_moved_and_destroyed) {
  struct curious {
    explicit curious(channel<curious>& items) : home(&items) {}
    curious(curious&& other) noexcept : home(other.home) { (void)home->closed(); }
    ~curious() { (void)home->drained(); }
    channel<curious>* home;
  };
  for (const auto capacity : every_capacity) {
    channel<curious> items(capacity);
    std::thread sender([&] { EXPECT_TRUE(items.send(curious(items))); });
    EXPECT_TRUE(items.receive());
    sender.join();
  }
}

// ---- stress ----

// Every item is sent once; what is received must be each of them once, and of one sender in its order, seen by one receiver.
TEST(channel_stress, neither_loses_nor_doubles_nor_overtakes) {  // L1 L2
  constexpr int senders = 3, receivers = 3, each = 100 * scale;
  for (const auto capacity : every_capacity) {
    channel<std::unique_ptr<std::pair<int, int>>> items(capacity);
    std::vector<std::vector<std::pair<int, int>>> got(receivers);
    std::vector<std::thread> threads;
    std::atomic<int> left{senders};
    for (int sender = 0; sender != senders; ++sender) {
      threads.emplace_back([&, sender] {
        for (int i = 0; i != each;) {
          auto item = std::make_unique<std::pair<int, int>>(sender, i);
          bool sent = false;
          if (i % 3 == 0) {
            sent = items.send(std::move(item));
          } else if (i % 3 == 1) {
            sent = items.send_for(std::move(item), 10us);
          } else {
            sent = items.try_send(std::move(item));
          }
          EXPECT_EQ(item == nullptr, sent);
          if (!sent) std::this_thread::yield();
          i += sent ? 1 : 0;
        }
        if (left.fetch_sub(1) == 1) items.close();
      });
    }
    for (int receiver = 0; receiver != receivers; ++receiver) {
      threads.emplace_back([&, receiver] {
        for (unsigned i = 0; !items.drained(); ++i) {
          const auto item = i % 3 == 0 ? items.receive() : i % 3 == 1 ? items.receive_for(10us) : items.try_receive();
          if (item)
            got[static_cast<std::size_t>(receiver)].push_back(**item);
          else
            std::this_thread::yield();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<int> count(senders * each, 0);
    for (const auto& mine : got) {
      std::vector<int> last(senders, -1);
      for (const auto& [sender, i] : mine) {
        EXPECT_GT(i, last[static_cast<std::size_t>(sender)]);
        last[static_cast<std::size_t>(sender)] = i;
        ++count[static_cast<std::size_t>(sender * each + i)];
      }
    }
    EXPECT_EQ(std::count(count.begin(), count.end(), 1), senders * each) << "capacity " << capacity.items;
  }
}

// What is accepted before close() comes out, and nothing else, however the close falls.
TEST(channel_stress, accepts_or_refuses_while_it_is_being_closed) {
  for (int round = 0; round != 15 * scale; ++round) {
    channel<int> numbers(every_capacity[round % 5]);
    int sent = 0, received = 0;
    std::thread sender([&] {
      while (numbers.send(1)) ++sent;
    });
    std::thread closer([&] {
      for (int i = 0; i != round % 7; ++i) std::this_thread::yield();
      numbers.close();
    });
    for (int number : numbers) received += number;
    EXPECT_TRUE(numbers.drained());
    sender.join();
    closer.join();
    EXPECT_EQ(sent, received);
  }
}

TEST(channel_stress, may_be_destroyed_when_the_last_item_was_received) {
  for (int round = 0; round != 300 * scale; ++round) {
    auto items = std::make_unique<channel<int>>(every_capacity[round % 5]);
    std::thread sender([&gone = *items] { EXPECT_TRUE(gone.send(1)); });
    EXPECT_EQ(items->receive(), 1);
    items.reset();
    sender.join();
  }
}

}  // namespace
