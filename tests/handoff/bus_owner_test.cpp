// An owner is destroyed as soon as its subscription has ended, in 10^6 rounds beside two threads that publish (P1, X10). Under
// AddressSanitizer a callback that runs after that is a use after free, under ThreadSanitizer a race with the destructor.
// Without a sanitizer the memory of owners is filled with a pattern that a late call would spoil.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/spin.hpp>
#include <acqrel/handoff/bus.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

namespace {

constexpr int rounds = 1'000'000;

// What it hears is plain memory of its own: of one thread at a time, since each publisher has a counter.
struct owner {
  explicit owner(acqrel::bus<int>& changes) : mine(changes.subscribe([this](int who) { ++heard[who]; })) {}
  ~owner() {
    mine.reset();
    calls += heard[0] + heard[1];
  }
  int heard[2] = {0, 0};
  acqrel::subscription mine;
  static inline long calls = 0;
};

TEST(bus_owner, is_not_called_once_it_is_destroyed) {
  acqrel::bus<int> changes;
  std::atomic<bool> stop{false};
  std::array<std::thread, 2> publishers;
  for (int who = 0; who != 2; ++who) {
    publishers[static_cast<std::size_t>(who)] = std::thread([&, who] {
      while (!stop.load(std::memory_order_relaxed)) changes.publish(who);
    });
  }
  constexpr std::byte poison{0xA5};
  alignas(owner) static std::byte places[64][sizeof(owner)];
  std::memset(places, static_cast<int>(poison), sizeof places);
  long spoiled = 0;
  for (int round = 0; round != rounds; ++round) {
#if defined(ACQREL_TEST_SANITIZED)
    const std::unique_ptr<owner> now(new owner(changes));
#else
    std::byte* const place = places[round % 64];
    for (std::size_t i = 0; i != sizeof(owner); ++i) spoiled += place[i] != poison ? 1 : 0;
    owner* const now = ::new (place) owner(changes);
#endif
    for (int dawdle = round % 16; dawdle != 0; --dawdle) acqrel::pause_cpu();
#if !defined(ACQREL_TEST_SANITIZED)
    std::destroy_at(now);
    std::memset(place, static_cast<int>(poison), sizeof(owner));
#endif
  }
  stop.store(true, std::memory_order_relaxed);
  for (auto& publisher : publishers) publisher.join();
  EXPECT_EQ(spoiled, 0);
  EXPECT_GT(owner::calls, 0);
  std::printf("%ld calls in %d rounds\n", owner::calls, rounds);
}

}  // namespace
