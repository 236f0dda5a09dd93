// versioned under the checker: a version and its value are one, and of two equal attempts one wins.
// SPDX-License-Identifier: Apache-2.0
#include "../reclaim/model_version.hpp"

#include <acqrel/publish/versioned.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

constexpr auto asymmetric = acqrel::fence_mode::asymmetric;
using cell = acqrel::versioned<std::uint64_t>;

// Every value set here is the version it must get.
MODEL(versioned, reads_a_value_with_its_own_version) {  // V3 V4
  heart::begin(asymmetric, 1, 100);
  cell current(1);
  std::thread writer([&] { current.set(2); });
  const auto first = current.read();
  EXPECT_EQ(*first, first.version());
  const auto then = current.read();
  EXPECT_EQ(*then, then.version());
  EXPECT_GE(then.version(), first.version());
  writer.join();
}

MODEL(versioned, gives_two_writers_two_versions) {  // V2
  heart::begin(asymmetric, 1, 100);
  cell current;
  std::uint64_t theirs = 0;
  std::thread other([&] { theirs = current.set(7); });
  const std::uint64_t mine = current.set(8);
  other.join();
  EXPECT_EQ(mine + theirs, 3U);
  const auto now = current.read();
  EXPECT_EQ(now.version(), 2U);
  EXPECT_EQ(*now, mine == 2 ? 8U : 7U);
}

MODEL(versioned, lets_one_of_two_equal_attempts_win) {  // V6
  heart::begin(asymmetric, 1, 100);
  cell current(1);
  bool theirs = false;
  std::uint64_t value = 7;
  std::thread other([&] {
    theirs = current.set_if(1, std::move(value));
    EXPECT_TRUE(theirs || value == 7);
  });
  const bool mine = current.set_if(1, 8);
  other.join();
  EXPECT_NE(mine, theirs);
  EXPECT_EQ(current.version(), 2U);
}

// ---- what goes wrong without ----

// Two words: a reader pairs the new value with the old version.
struct twin_of_two_words {
  std::atomic<std::uint64_t> value{1}, version{1};
  void set() {
    value.store(2, std::memory_order_release);
    version.store(2, std::memory_order_release);
  }
};
MODEL_FAILS(versioned, the_twin_with_value_and_version_apart, "assertion") {
  twin_of_two_words current;
  std::thread writer([&] { current.set(); });
  const std::uint64_t version = current.version.load(std::memory_order_acquire);
  acqrel::model::expect(current.value.load(std::memory_order_acquire) == version, "a value has its own version");
  writer.join();
}

}  // namespace
