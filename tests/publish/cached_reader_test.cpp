// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/cached_reader.hpp>

#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

using acqrel::cached_reader;
using acqrel::drain;
using acqrel::snapshot_source;

namespace {

std::unique_ptr<checked> make(long n) { return std::make_unique<checked>(n); }

// ---- semantics ----

TEST(cached_reader, reads_nothing_from_an_empty_source) {  // G2
  snapshot_source<checked> source;
  cached_reader<checked> reader(source);
  EXPECT_EQ(reader.read(), nullptr);
  source.publish(make(1));
  ASSERT_NE(reader.read(), nullptr);
  EXPECT_EQ(reader.read()->number, 1);
}

TEST(cached_reader, sees_each_new_version_at_the_next_read) {
  snapshot_source<checked> source{make(1)};
  cached_reader<checked> reader(source);
  for (long n = 2; n < 100; ++n) {
    source.publish(make(n));
    EXPECT_EQ(reader.read()->number, n);
    EXPECT_EQ(reader.read(), reader.read());
  }
  source.publish(nullptr);
  EXPECT_EQ(reader.read(), nullptr);
}

TEST(cached_reader, gives_only_const_access) {  // G5
  static_assert(std::is_same_v<decltype(std::declval<cached_reader<checked>&>().read()), const checked*>);
  static_assert(sizeof(cached_reader<checked>) == 3 * sizeof(void*));
  SUCCEED();
}

TEST(cached_reader, keeps_the_version_it_read_last_and_lets_go_when_told) {
  const long before = live_now();
  snapshot_source<checked> source{make(1)};
  cached_reader<checked> reader(source);
  const checked* const held = reader.read();
  source.publish(make(2));
  drain();
  EXPECT_TRUE(held->whole());
  EXPECT_EQ(checked::live, before + 2);
  reader.release();
  EXPECT_EQ(checked::live, before + 1);
  EXPECT_EQ(reader.read()->number, 2);
}

TEST(cached_reader, lets_go_of_the_old_version_when_it_finds_a_new_one) {
  const long before = live_now();
  snapshot_source<checked> source{make(1)};
  cached_reader<checked> reader(source);
  EXPECT_EQ(reader.read()->number, 1);
  source.publish(make(2));
  drain();
  EXPECT_EQ(reader.read()->number, 2);
  EXPECT_EQ(checked::live, before + 1);
}

// ---- stress ----
// Readers of their own in many threads, one writer: whole versions, never an older one, and in the
// end only what is current.
TEST(cached_reader_stress, every_read_is_whole_and_never_older_than_the_last) {  // G3 G4
  const long before = live_now();
  std::atomic<long> broken{0}, older{0};
  {
    snapshot_source<checked> source{make(0)};
    const long publishes = 50'000 / fewer_when_sanitized;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        cached_reader<checked> reader(source);
        for (long newest = 0, n = 0; newest < publishes; ++n) {
          const checked* const now = reader.read();
          if (!now->whole()) broken.fetch_add(1);
          if (now->number < newest) older.fetch_add(1);
          newest = now->number;
          if (t == 0 && n % 64 == 0) reader.release();
          if (n % 1024 == 0) std::this_thread::yield();
        }
      });
    }
    for (long n = 1; n <= publishes; ++n) source.publish(make(n));
    for (auto& t : threads) t.join();
  }
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(older, 0);
  EXPECT_EQ(live_now(), before);
}

}  // namespace
