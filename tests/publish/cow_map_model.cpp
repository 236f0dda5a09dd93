// cow_map under the checker: whole batches, on the real heart. Its edges are those of snapshot_source.
// SPDX-License-Identifier: Apache-2.0
#include "../reclaim/model_version.hpp"

#include <acqrel/publish/cow_map.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using heart::begin;
constexpr auto asymmetric = acqrel::fence_mode::asymmetric, full = acqrel::fence_mode::full;
using map = acqrel::cow_map<int, int>;

// Two keys whose values are equal in every version.
void shows_whole_batches(acqrel::fence_mode mode) {
  begin(mode, 1);
  map pair{{1, 10}, {2, 10}};
  std::thread reader([&] {
    const auto now = pair.read();
    EXPECT_EQ(*now.find(1), *now.find(2));
    EXPECT_EQ(now.contains(3), *now.find(1) == 20);
  });
  pair.update([](map::edit& edit) {
    edit.upsert(1, 20);
    edit.upsert(2, 20);
    edit.upsert(3, 20);
  });
  reader.join();
}
MODEL(cow_map, shows_whole_batches_asymmetric, .shows = {"hazard.publish"}) { shows_whole_batches(asymmetric); }
MODEL(cow_map, shows_whole_batches_full) { shows_whole_batches(full); }

MODEL(cow_map, keeps_what_get_found_while_it_is_erased) {
  begin(asymmetric, 1);
  map numbers{{1, 10}};
  std::thread reader([&] {
    if (const auto found = numbers.get(1)) {
      EXPECT_EQ(*found, 10);
    }
  });
  numbers.update([](map::edit& edit) { edit.erase(1); });
  reader.join();
}

MODEL(cow_map, loses_no_batch_of_two_writers) {
  begin(asymmetric, 1, 100);
  setenv("ACQREL_PARK", "futex", 1);
  map count{{1, 0}};
  const auto next = [](map::edit& edit) { edit.upsert(1, *edit.find(1) + 1); };
  std::thread other([&] { count.update(next); });
  count.update(next);
  other.join();
  EXPECT_EQ(count.get(1).value_or(0), 2);
}

// What const prevents: a version changed in place after it was published.
// G10
MODEL_FAILS(cow_map, changed_in_place_shows_half_of_a_batch, "data race") {
  begin(asymmetric, 1);
  map pair{{1, 10}, {2, 10}};
  std::thread reader([&] {
    const auto now = pair.read();
    EXPECT_EQ(*now.find(1), *now.find(2));
  });
  {
    const auto now = pair.read();
    const_cast<int&>(*now.find(1)) = 20;
    const_cast<int&>(*now.find(2)) = 20;
  }
  reader.join();
}

// Two questions are two versions: what read() is there for.
MODEL_FAILS(cow_map, asked_twice_shows_two_versions, "assertion") {
  begin(asymmetric, 1);
  map pair{{1, 10}, {2, 10}};
  std::thread reader([&] { EXPECT_EQ(pair.get(1).value_or(0), pair.get(2).value_or(0)); });
  pair.update([](map::edit& edit) {
    edit.upsert(1, 20);
    edit.upsert(2, 20);
  });
  reader.join();
}

}  // namespace
