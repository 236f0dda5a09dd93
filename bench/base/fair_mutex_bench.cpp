// SPDX-License-Identifier: Apache-2.0
// Lock and unlock, alone and against another thread; and how long a waiter waits for a hog.
#include <acqrel/base/fair_mutex.hpp>

#include <tbb/spin_mutex.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>

#include "bench/go.hpp"
#include "bench/harness.hpp"

namespace bench {
namespace {

using std::chrono::steady_clock;

// The least that excludes: one compare-exchange each way, and nobody ever sleeps.
class bare_word {
 public:
  void lock() noexcept {
    for (std::uint32_t expected = 0; !word_.compare_exchange_weak(expected, 1, std::memory_order_acquire);
         expected = 0) {
      acqrel::pause_cpu();
    }
  }
  void unlock() noexcept { word_.store(0, std::memory_order_release); }

 private:
  std::atomic<std::uint32_t> word_{0};
};

template <class Mutex>
void enter_lock(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "fair_mutex", .operation = "lock", .contender = contender, .variation = "pair", .threads = threads},
          [] {
            struct guarded {
              alignas(128) Mutex mutex;
              std::uint64_t count = 0;
            };
            return [shared = std::make_shared<guarded>()](turn& now) {
              now.begin();
              std::uint64_t done = 0;
              do {
                for (int i = 0; i != 64; ++i, ++done) {
                  shared->mutex.lock();
                  ++shared->count;
                  shared->mutex.unlock();
                }
              } while (now.running());
              now.end(done);
            };
          });
  }
}

// A hog holds the lock 100 us, and takes it again at once. A waiter wants it now and then.
template <class Mutex>
void enter_hog(const char* contender) {
  enter_measurement(
      {.type = "fair_mutex", .operation = "hog", .contender = contender, .variation = "holds_100us"}, [](double scale) {
        const auto whole =
            std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(2.0 * scale));
        Mutex mutex;
        std::atomic<bool> over{false};
        std::thread hog([&] {
          while (!over.load(std::memory_order_relaxed)) {
            const std::lock_guard lock(mutex);
            const auto until = steady_clock::now() + std::chrono::microseconds(100);
            while (steady_clock::now() < until) acqrel::pause_cpu();
          }
        });
        steady_clock::duration longest{0}, sum{0};
        double turns = 0;
        const auto begin = steady_clock::now();
        do {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
          const auto came = steady_clock::now();
          mutex.lock();
          const auto waited = steady_clock::now() - came;
          mutex.unlock();
          longest = std::max(longest, waited);
          sum += waited;
          ++turns;
        } while (steady_clock::now() - begin < whole);
        over.store(true, std::memory_order_relaxed);
        hog.join();
        const auto ms = [](auto time) { return std::chrono::duration<double, std::milli>(time).count(); };
        return std::vector<figure>{{"longest_wait", "ms", ms(longest)}, {"mean_wait", "ms", ms(sum) / turns}};
      });
}

[[maybe_unused]] const bool entered = [] {
  enter_lock<bare_word>("floor: one compare-exchange");
  enter_lock<std::mutex>("ref: std::mutex");
  enter_lock<tbb::spin_mutex>("tbb spin_mutex");
  for (const unsigned threads : {1u, 2u})
    enter_go({.type = "fair_mutex",
              .operation = "lock",
              .contender = "Go sync.Mutex",
              .variation = "pair",
              .threads = threads},
             "mutex");
  enter_lock<acqrel::fair_mutex>("acqrel");
  // NUMBERS: at most 6 ns where std::mutex has 7.35, and no more than it for two.
  goal({.type = "fair_mutex",
        .operation = "lock",
        .variation = "pair",
        .threads = 1,
        .contender = "acqrel",
        .against = "ref: std::mutex",
        .at_most = 6 / 7.35});
  goal({.type = "fair_mutex",
        .operation = "lock",
        .variation = "pair",
        .threads = 2,
        .contender = "acqrel",
        .against = "ref: std::mutex",
        .at_most = 1.0});
  enter_hog<std::mutex>("ref: std::mutex");
  enter_hog<acqrel::fair_mutex>("acqrel");
  return true;
}();

}  // namespace
}  // namespace bench
