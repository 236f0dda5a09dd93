// SPDX-License-Identifier: Apache-2.0
// Asking whether there is news, and publishing some, beside the least conceivable and a mutex with a condition variable.
#include <acqrel/publish/watch.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

struct a_version_number {
  struct receiver {
    explicit receiver(a_version_number& followed) : watched(&followed) {}
    bool poll() const { return watched->version.load(std::memory_order_acquire) != seen; }
    const a_version_number* watched;
    std::uint64_t seen = 0;
  };
  void publish(std::uint64_t number) { version.store(number, std::memory_order_release); }
  std::atomic<std::uint64_t> version{0};
};
struct under_mutex {
  struct receiver {
    explicit receiver(under_mutex& followed) : watched(&followed) {}
    bool poll() const {
      const std::lock_guard lock(watched->mutex);
      return watched->version != seen;
    }
    under_mutex* watched;
    std::uint64_t seen = 0;
  };
  void publish(std::uint64_t number) {
    {
      const std::lock_guard lock(mutex);
      value = number;
      ++version;
    }
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t value = 0, version = 0;
};
struct acqrel_watch {
  struct receiver {
    explicit receiver(acqrel_watch& followed) : changes(followed.current.subscribe()) {}
    bool poll() const { return changes.unseen(); }
    acqrel::watch_receiver<std::uint64_t> changes;
  };
  void publish(std::uint64_t number) { current.publish(std::move(number)); }
  acqrel::watch<std::uint64_t> current;
};
struct acqrel_called_back : acqrel_watch {
  acqrel::watch_callback<std::uint64_t, void (*)(const std::uint64_t&)> callback =
      current.on_change(+[](const std::uint64_t& number) { keep(number); });
};

template <class Contender>
void enter_poll(const char* contender, unsigned threads) {
  enter({.type = "watch",
         .operation = "poll",
         .contender = contender,
         .variation = "read_only",
         .threads = threads,
         .environment = {}},
        [] {
          return [shared = std::make_shared<Contender>()](turn& now) {
            const typename Contender::receiver changes(*shared);
            keep(changes.poll());  // a thread's first read registers it
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 1024; ++i, ++done) keep(changes.poll());
            } while (now.running());
            now.end(done);
          };
        });
}

template <class Contender>
void enter_publish(const char* contender) {
  enter({.type = "watch",
         .operation = "publish",
         .contender = contender,
         .variation = "alone",
         .threads = 1,
         .environment = {}},
        [] {
          return [shared = std::make_shared<Contender>()](turn& now) {
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 64; ++i) shared->publish(++done);
            } while (now.running());
            now.end(done);
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  for (const unsigned threads : {1u, 2u}) {
    enter_poll<a_version_number>("floor: one load", threads);
    enter_poll<under_mutex>("ref: mutex and condition variable", threads);
    enter_poll<acqrel_watch>("acqrel", threads);
  }
  enter_publish<a_version_number>("floor: one store");
  enter_publish<under_mutex>("ref: mutex and condition variable");
  enter_publish<acqrel_watch>("acqrel");
  enter_publish<acqrel_called_back>("acqrel with a callback");
  return true;
}();

}  // namespace
}  // namespace bench
