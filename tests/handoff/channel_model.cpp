// Items that change hands in every execution: each to one, whole, and nobody who waits is forgotten.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/channel.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>

namespace {

using acqrel::bounded;
using acqrel::channel;
using acqrel::rendezvous;
using acqrel::unbounded;

constexpr auto at_once = acqrel::steady_deadline::min();  // time is up before the wait begins, which still queues

struct futex {
  futex() {
    setenv("ACQREL_PARK", "futex", 1);
    (void)acqrel::park_mode_in_use();  // so that no two threads are the first to ask
  }
};

void hands_over(acqrel::channel_capacity capacity) {
  const futex mode;
  channel<int*> items(capacity);
  int data = 0;
  std::thread sender([&] {
    data = 1;
    EXPECT_TRUE(items.send(&data));
  });
  EXPECT_EQ(**items.receive(), 1);
  sender.join();
}

MODEL(channel, hands_over_what_was_written_before_from_stack_to_stack, .shows = {"channel.held", "channel.settled"}) {
  hands_over(rendezvous);  // L2
}

MODEL(channel, hands_over_what_was_written_before_by_its_buffer, .shows = {"channel.held", "channel.settled"}) {
  hands_over(unbounded);  // L2
}

MODEL(channel, hands_over_without_a_wait, .shows = {"channel.held"}) {
  channel<int*> items(bounded(1));
  int data = 0;
  std::thread sender([&] {
    data = 1;
    EXPECT_TRUE(items.try_send(&data));
  });
  if (const auto item = items.try_receive()) {
    EXPECT_EQ(**item, 1);
  }
  sender.join();
}

// The k-th receive comes before the send that takes its room has returned, as Go has it.
void gives_the_sender_what_came_before_its_room(acqrel::channel_capacity capacity) {
  const futex mode;
  channel<int> items(capacity);
  int data = 0;
  std::thread receiver([&] {
    data = 1;
    EXPECT_EQ(items.receive(), 1);
  });
  EXPECT_TRUE(items.send(1));
  if (capacity.items == 1) {
    EXPECT_TRUE(items.send(2));
  }
  EXPECT_EQ(data, 1);
  receiver.join();
}

MODEL(channel, of_no_capacity_shows_the_sender_what_its_receiver_did, .shows = {"channel.settled"}) {
  gives_the_sender_what_came_before_its_room(rendezvous);
}

MODEL(channel, shows_a_sender_what_came_before_its_room, .shows = {"channel.settled"}) {
  gives_the_sender_what_came_before_its_room(bounded(1));
}

void gives_to_one_of_two(acqrel::channel_capacity capacity) {  // L1
  const futex mode;
  channel<int> items(capacity);
  int one = 0, two = 0;
  std::thread receiver([&] { one = items.try_receive().value_or(0); });
  std::thread other([&] { two = items.try_receive().value_or(0); });
  const bool sent = items.try_send(1);
  receiver.join();
  other.join();
  EXPECT_EQ(one + two + items.try_receive().value_or(0), sent ? 1 : 0);
}

MODEL(channel, gives_an_item_to_one_of_two) { gives_to_one_of_two(bounded(1)); }

MODEL(channel, of_no_capacity_serves_one_who_gives_up_or_lets_him_go) {
  const futex mode;
  channel<int> items(rendezvous);
  int got = 0;
  std::thread receiver([&] { got = items.receive_until(at_once).value_or(0); });
  const bool sent = items.try_send(1);
  receiver.join();
  EXPECT_EQ(got, sent ? 1 : 0);
}

MODEL(channel, loses_no_item_to_a_receiver_who_gives_up) {
  const futex mode;
  channel<int> items(unbounded);
  int got = 0;
  std::thread receiver([&] { got = items.receive_until(at_once).value_or(0); });
  EXPECT_TRUE(items.send(1));
  receiver.join();
  EXPECT_EQ(got + items.try_receive().value_or(0), 1);
}

MODEL(channel, loses_no_room_to_a_sender_who_gives_up) {
  const futex mode;
  channel<int> items(bounded(1));
  EXPECT_TRUE(items.send(1));
  bool sent = false;
  std::thread sender([&] { sent = items.send_until(2, at_once); });
  EXPECT_EQ(items.receive(), 1);
  sender.join();
  if (!sent) {
    EXPECT_TRUE(items.try_send(2));
  }
  EXPECT_EQ(items.try_receive(), 2);
}

MODEL(channel, lets_a_receiver_go_when_it_is_closed) {
  const futex mode;
  channel<int> items(unbounded);
  std::thread sender([&] {
    EXPECT_TRUE(items.send(1));
    items.close();
  });
  EXPECT_EQ(items.receive(), 1);
  EXPECT_FALSE(items.receive());
  sender.join();
}

MODEL(channel, receives_what_was_accepted_before_it_was_closed) {  // also what is still on its way into the buffer then
  const futex mode;
  channel<int> items(bounded(1));
  bool sent = false;
  std::thread sender([&] { sent = items.send(1); });
  items.close();
  const bool received = items.receive().has_value();
  sender.join();
  EXPECT_EQ(received, sent);
}

MODEL(channel, refuses_a_waiting_sender_when_it_is_closed) {
  const futex mode;
  channel<std::unique_ptr<int>> items(rendezvous);
  std::thread sender([&] {
    auto mine = std::make_unique<int>(1);
    EXPECT_FALSE(items.send(std::move(mine)));
    EXPECT_NE(mine, nullptr);
  });
  items.close();
  sender.join();
}

void may_be_destroyed(acqrel::channel_capacity capacity) {
  const futex mode;
  auto items = std::make_unique<channel<int>>(capacity);
  std::thread sender([&gone = *items] { EXPECT_TRUE(gone.send(1)); });
  EXPECT_EQ(items->receive(), 1);
  items.reset();
  sender.join();
}

MODEL(channel, may_be_destroyed_by_who_received_the_last) { may_be_destroyed(bounded(1)); }
MODEL(channel, of_no_capacity_may_be_destroyed_by_who_received_the_last) { may_be_destroyed(rendezvous); }

MODEL(channel, of_no_capacity_may_be_destroyed_by_who_sent_the_last) {
  const futex mode;
  auto items = std::make_unique<channel<int>>(rendezvous);
  std::thread receiver([&gone = *items] { EXPECT_EQ(gone.receive(), 1); });
  EXPECT_TRUE(items->send(1));
  items.reset();
  receiver.join();
}

// Throws when it is moved for the first time.
struct fragile {
  explicit fragile(bool* whole) : fuse(whole) {}
  fragile(fragile&& other) : fuse(other.fuse) {
    if (std::exchange(*fuse, false)) throw std::runtime_error("moved");
  }
  bool* fuse;
};

MODEL(channel, of_no_capacity_goes_on_when_a_move_throws) {  // L8
  const futex mode;
  channel<fragile> items(rendezvous);
  bool whole = true;
  std::thread receiver([&] {
    try {
      EXPECT_TRUE(items.receive());
    } catch (const std::runtime_error&) {
      EXPECT_TRUE(items.receive());
    }
  });
  fragile mine(&whole);
  try {
    EXPECT_TRUE(items.send(std::move(mine)));
  } catch (const std::runtime_error&) {
    EXPECT_TRUE(items.send(std::move(mine)));
  }
  receiver.join();
}

// What could be done instead, and must not: a choice that is looked at and then written may be won by two; one that is
// settled before it is served lets its waiter go too early; and one whose settling wakes nobody leaves it asleep.
struct other_choice {
  static constexpr std::uint32_t awaited = 1, claimed = 2, settled = 4;
  bool look_then_claim() {
    if ((word.load(std::memory_order_acquire) & claimed) != 0) return false;
    word.fetch_or(claimed, std::memory_order_acq_rel);
    return true;
  }
  bool claim() { return (word.fetch_or(claimed, std::memory_order_relaxed) & claimed) == 0; }
  void settle_and_wake_nobody() { word.exchange(claimed | settled, std::memory_order_release); }
  void settle_then_look() {
    if ((word.fetch_or(settled, std::memory_order_release) & settled) == 0 &&
        (word.load(std::memory_order_relaxed) & awaited) != 0)
      acqrel::unpark_one(word);
  }
  void wait() {
    (void)acqrel::patience().await(word, awaited,
                                   [this] { return (word.load(std::memory_order_acquire) & settled) != 0; });
  }
  acqrel::park_word word{0};
};

MODEL_FAILS(channel, the_twin_that_looks_before_it_claims, "assertion") {
  other_choice choice;
  bool one = false;
  std::thread other([&] { one = choice.look_then_claim(); });
  const bool two = choice.look_then_claim();
  other.join();
  EXPECT_NE(one, two);
}

MODEL_FAILS(channel, the_twin_that_serves_after_it_settled, "data race") {
  const futex mode;
  other_choice choice;
  int item = 0;
  std::thread other([&] {
    choice.settle_then_look();
    item = 1;
  });
  choice.wait();
  EXPECT_EQ(item, 1);
  other.join();
}

MODEL_FAILS(channel, the_twin_that_settles_and_wakes_nobody, "deadlock") {
  const futex mode;
  other_choice choice;
  std::thread other([&] {
    if (choice.claim()) choice.settle_and_wake_nobody();
  });
  choice.wait();
  other.join();
}

MODEL_FAILS(channel, the_twin_that_looks_who_waits_after_it_settled, "use after free") {
  const futex mode;
  auto choice = std::make_unique<other_choice>();
  std::thread other([&gone = *choice] { gone.settle_then_look(); });
  choice->wait();
  choice.reset();
  other.join();
}

// Who gives up without claiming its own choice may be served all the same: the item is lost.
MODEL_FAILS(channel, the_twin_that_gives_up_without_a_claim, "assertion") {
  other_choice choice;
  bool served = false;
  std::thread other([&] { served = choice.claim(); });
  const bool gave_up = (choice.word.load(std::memory_order_acquire) & other_choice::claimed) == 0;
  other.join();
  EXPECT_NE(served, gave_up);
}

}  // namespace
