// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <thread>

#include <gtest/gtest.h>

#include "bounded_queue.hpp"

MODEL(bounded_queue, hands_each_value_to_one_consumer) {
  bounded_queue<int, 2> queue;
  std::thread first([&] { EXPECT_TRUE(queue.push(1)); });
  std::thread second([&] { EXPECT_TRUE(queue.push(2)); });
  int out = 0;
  if (queue.pop(out)) EXPECT_TRUE(out == 1 || out == 2);
  first.join();
  second.join();
  int rest = 0;
  while (queue.pop(rest)) out += rest;
  EXPECT_EQ(out, 3);
}
