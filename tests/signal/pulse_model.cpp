// A signal given again and again: what came after the ticket is not missed.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/pulse.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <thread>

namespace {

using acqrel::pulse;

struct futex {
  futex() { setenv("ACQREL_PARK", "futex", 1); }
};

MODEL(pulse, is_not_missed_between_ticket_and_wait, .shows = {"waitable_word.value"}) {  // GL5
  const futex mode;
  pulse changed;
  int data = 0;
  const auto before = changed.ticket();
  std::thread notifier([&] {
    data = 1;
    changed.notify();
  });
  changed.wait(before);
  EXPECT_EQ(data, 1);
  notifier.join();
}

// The loop of the header: a ticket, a look, a wait.
MODEL(pulse, ends_the_loop_that_looks_before_it_waits) {
  const futex mode;
  pulse changed;
  std::atomic<int> found{0};
  std::thread notifier([&] {
    found.store(1, std::memory_order_relaxed);
    changed.notify();
  });
  for (;;) {
    const auto seen = changed.ticket();
    if (found.load(std::memory_order_relaxed) == 1) break;
    changed.wait(seen);
  }
  notifier.join();
}

MODEL(pulse, may_be_destroyed_by_who_waited) {  // GL11
  const futex mode;
  auto changed = std::make_unique<pulse>();
  const auto before = changed->ticket();
  std::thread notifier([&gone = *changed] { gone.notify(); });
  changed->wait(before);
  changed.reset();
  notifier.join();
}

// The document's latch: it waits for the pulse after the one that came while it looked.
MODEL_FAILS(pulse, the_twin_that_takes_its_ticket_after_it_looked, "deadlock") {
  const futex mode;
  pulse changed;
  std::atomic<int> found{0};
  std::thread notifier([&] {
    found.store(1, std::memory_order_relaxed);
    changed.notify();
  });
  while (found.load(std::memory_order_relaxed) == 0) changed.wait(changed.ticket());
  notifier.join();
}

}  // namespace
