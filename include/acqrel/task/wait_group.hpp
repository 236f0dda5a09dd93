// acqrel/task/wait_group.hpp - waits until all who entered have left.
//
//   acqrel::wait_group group;
//   workers.emplace_back([member = group.enter(), i, &result] { result[i] = compute(i); });  // leaves with its thread
//   group.wait();                                                     // sees what all members wrote
//   if (auto late = group.try_enter()) serve(std::move(late));        // false: a wait has begun
//   if (group.reset()) again();                                       // the next round
//
// Publishes  what each member did before it left.
// Edges      none of its own: ~member(), leave() -> wait(), is_done() that is true is waitable_word.value
// Progress   members() and is_done() wait-free; entering and leaving lock-free; wait() blocking: it spins a little, then
//            parks.
// Memory     8 bytes, and 8 in each member; nothing is allocated.
// Threads    all from any; a member belongs to one thread at a time. The first wait, also one that gives up, shuts the
//            group: nobody can be added whom it would not wait for, but by who is in, with another(). Who has waited may
//            destroy the group at once: the member that left last touches nothing of it any more. A reset() may come
//            while others are still on their way out of their waits (2^31 resets later a round may seem to be back).
// Errors     enter() throws std::logic_error once a wait has begun, or for more than 2^31 - 1 members; try_enter() gives an
//            empty member, reset() false. To wait while one's own member lives is to wait for ever.
// Cost       entering and leaving: a compare-exchange each; the last to leave makes a system call if somebody is parked.
//            Bench wait_group/enter_leave.
// Model      tests/task/wait_group_model.cpp.
// Not for    a number known beforehand (signal/countdown); tasks whose errors matter (task_group).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable_word.hpp>

#include <utility>

namespace acqrel {

class wait_group : public waitable<wait_group> {
 public:
  /// Whom the group waits for: from enter() until its destruction. Moved into a thread, it leaves when the thread ends.
  class [[nodiscard("a member that is dropped has left: move it to where the work is done")]] member {
   public:
    member() noexcept = default;
    member(member && other) noexcept : group_(std::exchange(other.group_, nullptr)) {}
    member& operator=(member&& other) noexcept {
      if (this != &other) {
        leave();
        group_ = std::exchange(other.group_, nullptr);
      }
      return *this;
    }
    ~member() { leave(); }

    /// Whether there is a group that waits for it.
    explicit operator bool() const noexcept { return group_ != nullptr; }
    /// One more, also during a wait. Throws std::logic_error where there is no group, or no room.
    member another() const;
    /// Leaves before its end. The group may be gone from then on.
    void leave() noexcept {
      if (wait_group* const group = std::exchange(group_, nullptr)) group->drop();
    }

   private:
    friend class wait_group;
    explicit member(wait_group * group) noexcept : group_(group) {}
    wait_group* group_ = nullptr;
  };

  constexpr wait_group() noexcept = default;
  wait_group(const wait_group&) = delete;  // members know its address: share it by reference
  wait_group& operator=(const wait_group&) = delete;

  /// Adds a member: by the thread that will wait, or any that is sure to come before the first wait.
  member enter() { return checked(try_enter()); }
  /// The same; empty if a wait has begun.
  member try_enter() noexcept { return add(false); }

  [[nodiscard]] std::uint64_t members() const noexcept { return count(state_.value()); }
  /// Nobody is in.
  [[nodiscard]] bool is_done() const noexcept { return members() == 0; }

  /// Opens it for another round. False: a member is still in, or nobody has waited for those who were.
  [[nodiscard]] bool reset() noexcept {
    const auto may = [](std::uint64_t state) { return count(state) == 0 && (state & shut) != 0; };
    return may(state_.change([&](std::uint64_t state) { return may(state) ? next_round(state) : state; },
                             [](std::uint64_t) { return false; }));  // it was done: nobody sleeps
  }

 private:
  friend class waitable<wait_group>;
  bool await(const patience& patience) const noexcept {
    const std::uint64_t mine =
        round(state_.change([](std::uint64_t state) { return state | shut; }, [](std::uint64_t) { return false; }));
    return state_.await(patience, [mine](std::uint64_t state) { return count(state) == 0 || round(state) != mine; });
  }

  member add(bool by_a_member) noexcept {
    const auto may = [&](std::uint64_t state) { return count(state) != most && (by_a_member || (state & shut) == 0); };
    const std::uint64_t before = state_.change([&](std::uint64_t state) { return may(state) ? state + 1 : state; },
                                               [](std::uint64_t) { return false; });
    return member(may(before) ? this : nullptr);
  }
  void drop() noexcept {
    state_.change([](std::uint64_t state) { return state - 1; }, [](std::uint64_t state) { return count(state) == 0; });
  }
  static member checked(member added) {
    if (!added) refuse();
    return added;
  }
  [[noreturn]] static void refuse();

  // The state: the number of resets, 31 bits; whether a wait has begun; the number of members, 31 bits.
  static constexpr std::uint64_t most = 0x7FFF'FFFF, shut = most + 1;
  static constexpr std::uint64_t count(std::uint64_t state) noexcept { return state & most; }
  static constexpr std::uint64_t round(std::uint64_t state) noexcept { return state >> 32; }
  static constexpr std::uint64_t next_round(std::uint64_t state) noexcept {
    return ((round(state) + 1) & 0x7FFF'FFFF) << 32;
  }

  mutable waitable_word state_;
};

static_assert(sizeof(wait_group) == 8);

}  // namespace acqrel
