// One choice at many places, in every execution: exactly one case happens, and nobody is forgotten.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/select.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <thread>

namespace {

using acqrel::bounded;
using acqrel::channel;
using acqrel::on_event;
using acqrel::on_receive;
using acqrel::on_send;
using acqrel::on_stop;
using acqrel::on_watch;
using acqrel::rendezvous;
using acqrel::select;
using acqrel::try_select;

constexpr auto nothing = [](auto&&...) {};

struct futex {
  futex() {
    setenv("ACQREL_PARK", "futex", 1);
    (void)acqrel::park_mode_in_use();  // so that no two threads are the first to ask
  }
};

MODEL(select, is_served_by_one_of_two, .shows = {"channel.settled"}) {
  const futex mode;
  channel<int*> one(rendezvous), two(rendezvous);
  int data = 0;
  bool sent = false;
  std::thread selects([&] {
    const auto receive = [](std::optional<int*> item) { EXPECT_TRUE(!item || **item == 1); };
    select(on_receive(one, receive), on_receive(two, receive));
  });
  data = 1;
  sent = one.try_send(&data);
  const bool again = two.try_send(&data);
  EXPECT_FALSE(sent && again);
  one.close();
  selects.join();
}

MODEL(select, meets_another) {
  const futex mode;
  channel<int> one(rendezvous), two(rendezvous);
  int sent = 0, got = 0;
  std::thread other([&] {
    select(on_send(one, 1, [&](bool) { sent += 1; }), on_receive(two, [&](std::optional<int> item) { got += *item; }));
  });
  int sent_here = 0, got_here = 0;
  select(on_receive(one, [&](std::optional<int> item) { got_here += *item; }),
         on_send(two, 1, [&](bool) { sent_here += 1; }));
  other.join();
  EXPECT_EQ(sent, got_here);
  EXPECT_EQ(got, sent_here);
  EXPECT_EQ(sent + sent_here, 1);
}

MODEL(select, takes_an_item_or_is_stopped) {
  const futex mode;
  channel<int> items(rendezvous);
  std::stop_source stop;
  bool got = false, stopped = false;
  std::thread selects([&] {
    select(on_receive(items, [&](auto) { got = true; }), on_stop(stop.get_token(), [&] { stopped = true; }));
  });
  const bool sent = items.try_send(1);
  if (!sent) stop.request_stop();
  selects.join();
  EXPECT_EQ(got, sent);
  EXPECT_NE(got, stopped);
}

struct futex_waitv {
  futex_waitv() {
    setenv("ACQREL_PARK", "futex_waitv", 1);
    (void)acqrel::park_mode_in_use();
  }
};

MODEL(select, hears_an_event, .shows = {"event.happened"}) {
  const futex_waitv mode;
  channel<int> items(rendezvous);
  acqrel::event ready;
  int data = 0;
  std::thread notifier([&] {
    data = 1;
    ready.notify();
  });
  EXPECT_EQ(select(on_receive(items, nothing), on_event(ready, nothing)), 1u);
  EXPECT_EQ(data, 1);
  notifier.join();
}

MODEL(select, takes_an_item_or_hears_an_event) {
  const futex_waitv mode;
  channel<int> items(rendezvous);
  acqrel::event ready;
  bool got = false;
  bool sent = false;
  std::thread other([&] {
    sent = items.try_send(1);
    ready.notify();
  });
  select(on_receive(items, [&](auto) { got = true; }), on_event(ready, nothing));
  other.join();
  EXPECT_EQ(got, sent);
}

MODEL(select, hears_a_watch) {
  const futex_waitv mode;
  channel<int> items(rendezvous);
  acqrel::watch<int> current;
  auto changes = current.subscribe();
  std::thread writer([&] { current.publish(1); });
  EXPECT_EQ(select(on_receive(items, nothing), on_watch(changes, nothing)), 1u);
  EXPECT_EQ(*changes.receive(), 1);
  writer.join();
}

// At each instant one of the channels has an item.
void hands_on(channel<int>& from, channel<int>& to) {
  EXPECT_TRUE(to.try_send(1));
  (void)from.try_receive();
}

MODEL(select, tries_all_at_one_instant) {
  channel<int> one(bounded(1)), two(bounded(1));
  EXPECT_TRUE(one.try_send(1));
  std::thread other([&] { hands_on(one, two); });
  EXPECT_TRUE(try_select(on_receive(one, nothing), on_receive(two, nothing)));
  other.join();
}

MODEL_FAILS(select, the_twin_that_tries_one_after_the_other, "assertion") {
  channel<int> one(bounded(1)), two(bounded(1));
  EXPECT_TRUE(one.try_send(1));
  std::thread other([&] { hands_on(one, two); });
  EXPECT_TRUE(two.try_receive() || one.try_receive());
  other.join();
}

MODEL_FAILS(select, the_twin_that_locks_in_the_order_of_its_cases, "deadlock") {
  std::mutex one, two;
  std::thread other([&] {
    const std::lock_guard first(one);
    const std::lock_guard second(two);
  });
  {
    const std::lock_guard first(two);
    const std::lock_guard second(one);
  }
  other.join();
}

}  // namespace
