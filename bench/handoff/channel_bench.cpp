// SPDX-License-Identifier: Apache-2.0
// Items from one thread to another, through a buffer of 128 and from hand to hand. Measured where they are received.
#include <acqrel/handoff/channel.hpp>

#include <tbb/concurrent_queue.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "bench/go.hpp"
#include "bench/harness.hpp"
#include "bench/signal/wake_ups.hpp"

namespace bench {
namespace {

constexpr std::size_t room = 128;

// The least: a ring for one sender and one receiver, who never sleep.
class bare_ring {
 public:
  void send(std::uint64_t item) {
    const std::uint64_t at = sent_.load(std::memory_order_relaxed);
    while (at - received_.load(std::memory_order_acquire) == room) acqrel::pause_cpu();
    items_[at % room] = item;
    sent_.store(at + 1, std::memory_order_release);
  }
  std::uint64_t receive() {
    const std::uint64_t at = received_.load(std::memory_order_relaxed);
    while (at == sent_.load(std::memory_order_acquire)) acqrel::pause_cpu();
    const std::uint64_t item = items_[at % room];
    received_.store(at + 1, std::memory_order_release);
    return item;
  }

 private:
  std::array<std::uint64_t, room> items_{};
  alignas(128) std::atomic<std::uint64_t> sent_{0};
  alignas(128) std::atomic<std::uint64_t> received_{0};
};

class locked_queue {
 public:
  void send(std::uint64_t item) {
    std::unique_lock lock(mutex_);
    received_.wait(lock, [this] { return items_.size() < room; });
    items_.push_back(item);
    sent_.notify_one();
  }
  std::uint64_t receive() {
    std::unique_lock lock(mutex_);
    sent_.wait(lock, [this] { return !items_.empty(); });
    const std::uint64_t item = items_.front();
    items_.pop_front();
    received_.notify_one();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable sent_, received_;
  std::deque<std::uint64_t> items_;
};

class tbb_queue {
 public:
  tbb_queue() { items_.set_capacity(room); }
  void send(std::uint64_t item) { items_.push(item); }
  std::uint64_t receive() {
    std::uint64_t item;
    items_.pop(item);
    return item;
  }

 private:
  tbb::concurrent_bounded_queue<std::uint64_t> items_;
};

template <std::size_t capacity>
class acqrel_channel {
 public:
  void send(std::uint64_t item) { keep(items_.send(std::move(item))); }
  std::uint64_t receive() { return *items_.receive(); }

 private:
  acqrel::channel<std::uint64_t> items_{acqrel::bounded(capacity)};
};

// From hand to hand by two wake-ups: here is one, and I have it.
template <class Lane>
class lanes {
 public:
  void send(std::uint64_t item) {
    item_ = item;
    there_.wake(sent_);
    back_.sleep(sent_++);
  }
  std::uint64_t receive() {
    there_.sleep(received_);
    const std::uint64_t item = item_;
    back_.wake(received_++);
    return item;
  }

 private:
  alignas(128) std::uint64_t item_ = 0;
  std::uint64_t sent_ = 0, received_ = 0;
  alignas(128) Lane there_;
  alignas(128) Lane back_;
};

template <class Queue>
void enter_pair(const char* operation, const char* contender) {
  enter({.type = "channel",
         .operation = operation,
         .contender = contender,
         .variation = "back_to_back",
         .threads = 1,
         .helpers = 1,
         .environment = {}},
        [] {
          return [queue = std::make_shared<Queue>()](turn& now) {
            now.begin();
            if (now.thread() != 0) {
              while (now.running()) queue->send(1);
              return queue->send(0);
            }
            std::uint64_t done = 0;
            while (queue->receive() != 0) ++done;
            now.end(done);
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  enter_pair<bare_ring>("one_to_one", "floor: a ring that spins");
  enter_pair<locked_queue>("one_to_one", "ref: std::mutex, two conditions, std::deque");
  enter_pair<tbb_queue>("one_to_one", "tbb::concurrent_bounded_queue");
  enter_pair<acqrel_channel<room>>("one_to_one", "acqrel");
  enter_pair<lanes<futex_lane>>("rendezvous", "floor: two futexes");
  enter_pair<lanes<condition_variable_lane>>("rendezvous", "ref: std::condition_variable");
  enter_pair<acqrel_channel<0>>("rendezvous", "acqrel");
  const auto go = [](const char* operation, const char* task) {
    enter_go({.type = "channel",
              .operation = operation,
              .contender = "Go chan",
              .variation = "back_to_back",
              .threads = 1,
              .helpers = 1,
              .environment = {}},
             task);
  };
  go("one_to_one", "channel");
  go("rendezvous", "rendezvous");
  goal({.type = "channel",
        .operation = "one_to_one",
        .variation = "back_to_back",
        .threads = 1,
        .contender = "acqrel",
        .against = "ref: std::mutex, two conditions, std::deque",
        .at_most = 0.9});  // 300 of 332 ns
  goal({.type = "channel",
        .operation = "rendezvous",
        .variation = "back_to_back",
        .threads = 1,
        .contender = "acqrel",
        .against = "floor: two futexes",
        .at_most = 1});
  return true;
}();

}  // namespace
}  // namespace bench
