// A mailbox for one letter, proved under every execution that C++20 allows; and what becomes of it without its edge.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

// Edges  mailbox.full   send() -> look()   the letter
class mailbox {
 public:
  void send(int letter) {
    letter_ = letter;
    // edge mailbox.full: release
    full_.store(true, std::memory_order_release);
  }
  const int* look() const {
    // edge mailbox.full: acquire
    return full_.load(std::memory_order_acquire) ? &letter_ : nullptr;
  }

 private:
  int letter_ = 0;
  std::atomic<bool> full_{false};
};

// [mailbox]
MODEL(mailbox, delivers_a_whole_letter) {
  mailbox box;  // the real type: std::atomic, plain data, locks
  std::thread writer([&] { box.send(42); });
  if (const int* letter = box.look()) EXPECT_EQ(*letter, 42);
  writer.join();
}
// [/mailbox]

// The same, and a proof that it would be noticed if the edge were not there.
MODEL(mailbox, needs_its_edge, .shows = {"mailbox.full"}) {
  mailbox box;
  std::thread writer([&] { box.send(42); });
  if (const int* letter = box.look()) EXPECT_EQ(*letter, 42);
  writer.join();
}

// A letter that is marked full before it is written.
MODEL_FAILS(mailbox, must_not_be_marked_too_early, "data race") {
  int letter = 0;
  std::atomic<bool> full{false};
  std::thread writer([&] {
    full.store(true, std::memory_order_release);
    letter = 42;
  });
  if (full.load(std::memory_order_acquire)) EXPECT_EQ(letter, 42);
  writer.join();
}
