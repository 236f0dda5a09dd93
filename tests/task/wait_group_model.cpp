// Who waited sees what all members wrote; nobody gets in whom the wait does not wait for.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/wait_group.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <thread>

namespace {

using acqrel::wait_group;

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(wait_group, shows_what_all_members_wrote, .shows = {"waitable_word.value"}) {
  const futex mode;
  wait_group group;
  int one = 0, two = 0;
  std::thread first([&, member = group.enter()]() mutable {
    one = 1;
    member.leave();
  });
  std::thread second([&, member = group.enter()]() mutable {
    two = 1;
    member.leave();
  });
  group.wait();
  EXPECT_EQ(one + two, 2);
  first.join();
  second.join();
}

MODEL(wait_group, may_be_destroyed_by_who_waited) {
  const futex mode;
  auto group = std::make_unique<wait_group>();
  std::thread first([member = group->enter()]() mutable { member.leave(); });
  std::thread second([member = group->enter()]() mutable { member.leave(); });
  group->wait();
  group.reset();
  first.join();
  second.join();
}

MODEL(wait_group, waits_for_whom_a_member_brings_in) {
  const futex mode;
  wait_group group;
  int late = 0;
  std::thread second;
  std::thread first([&, member = group.enter()]() mutable {
    second = std::thread([&late, friend_of_it = member.another()]() mutable {
      late = 1;
      friend_of_it.leave();
    });
    member.leave();
  });
  group.wait();
  EXPECT_EQ(late, 1);
  first.join();
  second.join();
}

// Go's mistake of counting inside the goroutine, while one waits.
MODEL(wait_group, lets_nobody_in_unnoticed) {
  const futex mode;
  wait_group group;
  int wrote = 0;
  bool entered = false;
  std::thread visitor([&] {
    auto member = group.try_enter();
    if (member) wrote = 1;
    entered = static_cast<bool>(member);
  });
  group.wait();
  const int seen = group.try_enter() ? -1 : 0;
  EXPECT_EQ(seen, 0) << "shut from the first wait on";
  visitor.join();
  EXPECT_EQ(wrote, entered ? 1 : 0);
}

MODEL(wait_group, loses_no_wake_up_over_a_reset) {
  const futex mode;
  wait_group group;
  std::thread worker([&, member = group.enter()]() mutable {
    member.leave();
    if (group.reset()) group.enter().leave();
  });
  group.wait();
  worker.join();
}

// A group that stays open while one waits: it lets in a member whom the wait has not waited for.
struct open_group {
  acqrel::waitable_word members;
  void enter() {
    members.change([](std::uint64_t n) { return n + 1; });
  }
  void leave() {
    members.change([](std::uint64_t n) { return n - 1; });
  }
  void wait() {
    EXPECT_TRUE(members.await(acqrel::patience(), [](std::uint64_t n) { return n == 0; }));
  }
};

MODEL_FAILS(wait_group, the_twin_that_stays_open, "data race") {
  const futex mode;
  open_group group;
  int wrote = 0;
  std::thread visitor([&] {
    group.enter();
    wrote = 1;
    group.leave();
  });
  group.wait();
  wrote = 2;  // who has waited is alone, it thinks
  visitor.join();
}

MODEL_FAILS(wait_group, the_twin_whose_member_forgets_to_leave, "deadlock") {
  const futex mode;
  open_group group;
  group.enter();
  std::thread worker([] {});
  group.wait();
  worker.join();
}

}  // namespace
