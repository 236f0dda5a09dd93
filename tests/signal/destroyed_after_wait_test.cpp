// What was waited for is destroyed as soon as the wait has returned, in 10^6 rounds of each type (S7, GL11). Under
// AddressSanitizer a notifier that touches it after that is a use after free, under ThreadSanitizer a race with the free.
// Without a sanitizer, a poorer witness, a tenth of the rounds must do.
//
// One thread waits, two notify, all three for the whole test. Objects are handed over some rounds ahead, and their memory is
// given back each time: without a sanitizer it is filled with a pattern first, that a late store would spoil.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/one_shot.hpp>
#include <acqrel/signal/countdown.hpp>
#include <acqrel/signal/event.hpp>
#include <acqrel/signal/generation.hpp>
#include <acqrel/signal/pulse.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <thread>

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

// Each adapter: the object; what the waiter does; what each of `notifiers` threads does with it, once.
struct waits_for_event {
  static constexpr std::size_t notifiers = 1;
  void wait() const { object.wait(); }
  void notify() { object.notify(); }
  acqrel::event object;
};
struct waits_for_pulse {
  static constexpr std::size_t notifiers = 1;
  void wait() const { object.wait(before); }
  void notify() { object.notify(); }
  acqrel::pulse object;
  acqrel::pulse_ticket before = object.ticket();
};
struct waits_for_generation {
  static constexpr std::size_t notifiers = 2;
  void wait() const { object.wait(1); }
  void notify() { object.fire(); }
  acqrel::generation object;
};
struct waits_for_countdown {
  static constexpr std::size_t notifiers = 2;
  void wait() const { object.wait(); }
  void notify() { object.down(); }
  acqrel::countdown object{2};
};

struct waits_for_one_shot {
  static constexpr std::size_t notifiers = 1;
  void wait() const { (void)object.wait(); }
  void notify() { object.emplace(7); }
  acqrel::one_shot<int> object;
};

template <class Adapter>
class destroyed_after_wait : public testing::Test {};
using adapters =
    testing::Types<waits_for_event, waits_for_pulse, waits_for_generation, waits_for_countdown, waits_for_one_shot>;
TYPED_TEST_SUITE(destroyed_after_wait, adapters);

// The memory of one round: poisoned when the object is destroyed, looked at when it is used again some rounds later.
template <class T>
class recycled {
 public:
  T* make() {
#if defined(ACQREL_TEST_SANITIZED)
    return new T;
#else
    std::byte* const place = slots_[next_++ % slots_.size()].bytes;
    for (std::size_t i = 0; i != sizeof(T); ++i) spoiled_ += place[i] != poison ? 1 : 0;
    return ::new (place) T;
#endif
  }
  void destroy(T* object) {
#if defined(ACQREL_TEST_SANITIZED)
    delete object;
#else
    std::destroy_at(object);
    std::memset(static_cast<void*>(object), static_cast<int>(poison), sizeof(T));
#endif
  }
  long spoiled() const { return spoiled_; }

 private:
  static constexpr std::byte poison{0xA5};
  struct slot {
    slot() { std::memset(bytes, static_cast<int>(poison), sizeof bytes); }
    alignas(T) std::byte bytes[sizeof(T)];
  };
  std::array<slot, 64> slots_;
  std::size_t next_ = 0;
  long spoiled_ = 0;
};

TYPED_TEST(destroyed_after_wait, is_not_touched_any_more) {
  static_assert(TypeParam::notifiers <= 2);
  constexpr std::size_t rounds = sanitized ? 1'000'000 : 100'000, ahead = 16;
  using hand = std::array<std::atomic<TypeParam*>, ahead>;
  std::array<hand, TypeParam::notifiers> hands{};
  std::array<std::thread, TypeParam::notifiers> notifiers;
  for (std::size_t me = 0; me != notifiers.size(); ++me) {
    notifiers[me] = std::thread([&mine = hands[me]] {
      for (std::size_t round = 0; round != rounds; ++round) {
        auto& place = mine[round % ahead];
        while (place.load(std::memory_order_relaxed) == nullptr) std::this_thread::yield();
        TypeParam* const object = place.exchange(nullptr, std::memory_order_acquire);
        // Now and then a little later than the waiter, which has more to do.
        for (std::size_t dawdle = round % 16; dawdle != 0; --dawdle) acqrel::pause_cpu();
        object->notify();
      }
    });
  }
  recycled<TypeParam> memory;
  std::array<TypeParam*, ahead> objects{};
  for (std::size_t round = 0; round != rounds + ahead; ++round) {
    TypeParam*& object = objects[round % ahead];
    if (object != nullptr) {
      object->wait();
      memory.destroy(object);
    }
    if (round >= rounds) continue;
    object = memory.make();
    for (auto& hand_over : hands) hand_over[round % ahead].store(object, std::memory_order_release);
  }
  for (auto& notifier : notifiers) notifier.join();
  EXPECT_EQ(memory.spoiled(), 0);
}

}  // namespace
