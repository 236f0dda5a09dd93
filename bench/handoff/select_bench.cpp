// SPDX-License-Identifier: Apache-2.0
// An item sent to one of two channels and received by a select over both, in one thread: what choosing costs.
#include <acqrel/handoff/select.hpp>

#include <deque>
#include <memory>
#include <mutex>

#include "bench/go.hpp"
#include "bench/harness.hpp"

namespace bench {
namespace {

struct one_channel {
  void send(std::uint64_t item) { keep(items.send(std::move(item))); }
  std::uint64_t receive() { return *items.receive(); }
  acqrel::channel<std::uint64_t> items{acqrel::bounded(8)};
};

struct two_queues {
  void send(std::uint64_t item) {
    const std::lock_guard lock(mutex);
    items[item % 2].push_back(item);
  }
  std::uint64_t receive() {
    const std::lock_guard lock(mutex);
    std::deque<std::uint64_t>& one = items[items[0].empty() ? 1 : 0];
    const std::uint64_t item = one.front();
    one.pop_front();
    return item;
  }
  std::mutex mutex;
  std::deque<std::uint64_t> items[2];
};

struct two_channels {
  void send(std::uint64_t item) { keep((item % 2 == 0 ? even : odd).send(std::move(item))); }
  std::uint64_t receive() {
    std::uint64_t got = 0;
    const auto take = [&](std::optional<std::uint64_t> item) { got = *item; };
    acqrel::select(acqrel::on_receive(even, take), acqrel::on_receive(odd, take));
    return got;
  }
  acqrel::channel<std::uint64_t> even{acqrel::bounded(8)}, odd{acqrel::bounded(8)};
};

template <class Queue>
void enter_two(const char* contender) {
  enter(
      {.type = "select", .operation = "two_channels", .contender = contender, .variation = "ready", .environment = {}},
      [] {
        return [queue = std::make_shared<Queue>()](turn& now) {
          now.begin();
          std::uint64_t done = 0;
          do {
            for (int i = 0; i != 64; ++i, ++done) {
              queue->send(done);
              keep(queue->receive());
            }
          } while (now.running());
          now.end(done);
        };
      });
}

[[maybe_unused]] const bool entered = [] {
  enter_two<one_channel>("floor: one channel, no select");
  enter_two<two_queues>("ref: std::mutex, two std::deque");
  enter_two<two_channels>("acqrel");
  enter_go({.type = "select",
            .operation = "two_channels",
            .contender = "Go select",
            .variation = "ready",
            .environment = {}},
           "select");
  goal({.type = "select",
        .operation = "two_channels",
        .variation = "ready",
        .threads = 1,
        .contender = "acqrel",
        .against = "floor: one channel, no select",
        .at_most = 2.5});
  return true;
}();

}  // namespace
}  // namespace bench
