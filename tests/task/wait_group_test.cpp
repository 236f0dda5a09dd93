// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/wait_group.hpp>

#include "../checked_value.hpp"
#include "../signal/asleep.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using acqrel::wait_group;

// ---- semantics ----

TEST(wait_group, is_eight_bytes_constant_initialised_and_stays_where_it_is) {
  static constinit wait_group here;
  EXPECT_TRUE(here.is_done());
  static_assert(!std::is_copy_constructible_v<wait_group> && !std::is_move_constructible_v<wait_group>);
  static_assert(!std::is_copy_constructible_v<wait_group::member>);
  static_assert(std::is_nothrow_move_constructible_v<wait_group::member>);
  static_assert(sizeof(wait_group) == 8 && sizeof(wait_group::member) == sizeof(void*));
}

TEST(wait_group, of_nobody_is_done) {
  wait_group group;
  group.wait();
  EXPECT_TRUE(group.wait_for(0s));
}

TEST(wait_group, waits_for_the_last_to_leave) {
  wait_group group;
  auto one = group.enter();
  {
    const auto two = group.enter();
    EXPECT_EQ(group.members(), 2U);
    EXPECT_FALSE(group.wait_for(1ms));
  }
  EXPECT_EQ(group.members(), 1U);
  EXPECT_FALSE(group.wait_for(1ms));
  one.leave();
  one.leave();
  EXPECT_FALSE(one);
  EXPECT_TRUE(group.is_done());
  group.wait();
}

TEST(wait_group, counts_a_member_once_wherever_it_is_moved) {
  wait_group group, other;
  auto one = group.enter();
  auto moved = std::move(one);
  EXPECT_EQ(group.members(), 1U);
  wait_group::member& same = moved;
  moved = std::move(same);
  EXPECT_EQ(group.members(), 1U);
  moved = other.enter();
  EXPECT_EQ(group.members(), 0U);
  EXPECT_EQ(other.members(), 1U);
}

TEST(wait_group, lets_nobody_in_once_a_wait_has_begun_but_by_a_member) {
  wait_group group;
  auto one = group.enter();
  EXPECT_FALSE(group.wait_for(1ms));
  EXPECT_FALSE(group.try_enter());
  EXPECT_THROW((void)group.enter(), std::logic_error);
  EXPECT_EQ(group.members(), 1U);
  auto two = one.another();
  one.leave();
  EXPECT_FALSE(group.wait_for(1ms));
  EXPECT_THROW((void)one.another(), std::logic_error);
  two.leave();
  group.wait();
  EXPECT_FALSE(group.try_enter());
}

TEST(wait_group, is_reset_after_a_wait_when_nobody_is_in) {
  wait_group group;
  EXPECT_FALSE(group.reset()) << "nobody has waited";
  {
    const auto one = group.enter();
    EXPECT_FALSE(group.wait_for(1ms));
    EXPECT_FALSE(group.reset()) << "somebody is in";
  }
  EXPECT_TRUE(group.reset());
  EXPECT_FALSE(group.reset());
  const auto one = group.enter();
  EXPECT_FALSE(group.wait_for(1ms));
}

TEST(wait_group, waits_in_every_form) {
  wait_group group;
  auto one = group.enter();
  std::stop_source stop;
  const auto now = std::chrono::steady_clock::now();
  EXPECT_FALSE(group.wait_until(now + 3ms));
  EXPECT_GE(std::chrono::steady_clock::now(), now + 3ms);
  EXPECT_FALSE(group.wait_for(1ms, stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(group.wait(stop.get_token()));
  one.leave();
  EXPECT_TRUE(group.wait(stop.get_token()));
  EXPECT_TRUE(group.wait_until(now));
}

// They sleep; the last member leaves and the group is opened again before most of them can look.
TEST(wait_group, lets_out_behind_a_reset_who_waited_before) {
  wait_group group;
  for (int round = 0; round != 20; ++round) {
    auto one = group.enter();
    const auto wait = [&] { EXPECT_TRUE(woken(group)); };
    std::array<sleeper, 3> waiters{sleeper(wait), sleeper(wait), sleeper(wait)};
    for (auto& waiter : waiters) waiter.until_asleep();
    one.leave();
    ASSERT_TRUE(group.reset());
    auto next = group.enter();
    for (auto& waiter : waiters) waiter.join();
    next.leave();
    ASSERT_TRUE(woken(group));
    ASSERT_TRUE(group.reset());
  }
}

TEST(wait_group, says_what_to_do_instead_of_entering_late) {
  wait_group group;
  group.wait();
  try {
    (void)group.enter();
    FAIL();
  } catch (const std::logic_error& refused) {
    EXPECT_NE(std::string(refused.what()).find("enter before the wait"), std::string::npos) << refused.what();
  }
}

// ---- stress ----

// A tree of members, each of which brings in two more, all of whose plain writes who waits must see. The group is on the
// heap and destroyed as soon as the wait has returned.
void branch(wait_group::member self, std::vector<int>& seen, std::size_t node) {
  seen[node] += 1;
  if (2 * node + 1 >= seen.size()) return;
  std::thread left(branch, self.another(), std::ref(seen), 2 * node);
  std::thread right(branch, self.another(), std::ref(seen), 2 * node + 1);
  left.detach();
  right.detach();
}

TEST(wait_group_stress, who_waits_sees_the_writes_of_all_members_and_destroys_it) {
  for (long round = 0; round != 300 / fewer_when_sanitized; ++round) {
    auto group = std::make_unique<wait_group>();
    std::vector<int> seen(16);
    branch(group->enter(), seen, 1);
    ASSERT_TRUE(woken(*group));
    group.reset();
    for (std::size_t node = 1; node != seen.size(); ++node) ASSERT_EQ(seen[node], 1);
  }
}

// Some try to enter while one waits: each who got in is waited for, and the rest were told.
TEST(wait_group_stress, nobody_gets_in_unnoticed) {
  for (long round = 0; round != 2'000 / fewer_when_sanitized; ++round) {
    wait_group group;
    std::array<int, 2> wrote{}, entered{};
    std::vector<std::thread> visitors;
    for (std::size_t me = 0; me != 2; ++me) {
      visitors.emplace_back([&, me] {
        if (auto member = group.try_enter()) {
          entered[me] = 1;
          wrote[me] = 1;
        }
      });
    }
    ASSERT_TRUE(woken(group));
    const std::array<int, 2> at_the_end = wrote;  // a race, if one got in and was not waited for
    for (auto& visitor : visitors) visitor.join();
    ASSERT_EQ(at_the_end, wrote);
    ASSERT_EQ(entered, wrote);
  }
}

}  // namespace
