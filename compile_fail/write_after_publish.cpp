// A value is published first and filled in later, through a pointer that was kept.
//
// Document  Q.2
// Refused   by the checker
// Saying    data race
// Instead   build it whole, then publish; publish() takes the unique_ptr so that no name for the value is left.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

struct sample {
  int value = 0;
};

#if defined(WRONG)
void publish(acqrel::snapshot_source<sample>& source) {
  auto next = std::make_unique<sample>();
  sample* const kept = next.get();
  source.publish(std::move(next));
  kept->value = 10;
}
#else
void publish(acqrel::snapshot_source<sample>& source) {
  auto next = std::make_unique<sample>();
  next->value = 10;
  source.publish(std::move(next));
}
#endif

MODEL(anti_pattern, write_after_publish) {
  acqrel::snapshot_source<sample> source;
  std::thread reader([&] {
    const auto seen = source.read();
    if (seen) {
      EXPECT_EQ(seen->value, 10);
    }
  });
  publish(source);
  reader.join();
}
