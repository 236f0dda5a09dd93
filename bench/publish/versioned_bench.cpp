// SPDX-License-Identifier: Apache-2.0
// Reading a value with its version, beside a read of the snapshot_source below it and beside a mutex.
#include <acqrel/publish/versioned.hpp>

#include <memory>
#include <mutex>

#include "bench/harness.hpp"

namespace bench {
namespace {

struct raw_pointer {
  std::uint64_t read() const { return *pointer.load(std::memory_order_acquire); }
  std::uint64_t value = 1;
  std::atomic<const std::uint64_t*> pointer{&value};
};
struct under_mutex {
  std::uint64_t read() {
    const std::lock_guard lock(mutex);
    return value + version;
  }
  std::mutex mutex;
  std::uint64_t value = 1, version = 1;
};
struct below {  // without a version
  std::uint64_t read() const { return *source.read().operator->(); }
  acqrel::snapshot_source<std::uint64_t> source{std::make_unique<std::uint64_t>(1)};
};
struct acqrel_versioned {
  std::uint64_t read() const {
    const auto now = cell.read();
    return *now + now.version();
  }
  acqrel::versioned<std::uint64_t> cell{1};
};

template <class Contender>
void enter_read(const char* contender, unsigned threads) {
  enter({.type = "versioned",
         .operation = "read",
         .contender = contender,
         .variation = "read_only",
         .threads = threads,
         .environment = {}},
        [] {
          return [shared = std::make_shared<Contender>()](turn& now) {
            auto& cell = *shared;
            keep(cell.read());  // a thread's first read registers it
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 1024; ++i, ++done) keep(cell.read());
            } while (now.running());
            now.end(done);
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  for (const unsigned threads : {1u, 2u}) {
    enter_read<raw_pointer>("floor: raw pointer", threads);
    enter_read<under_mutex>("ref: mutex", threads);
    enter_read<below>("acqrel snapshot_source", threads);
    enter_read<acqrel_versioned>("acqrel", threads);
    goal({.type = "versioned",
          .operation = "read",
          .variation = "read_only",
          .threads = threads,
          .contender = "acqrel",
          .against = "acqrel snapshot_source",
          .at_most = 1.5});
  }
  return true;
}();

}  // namespace
}  // namespace bench
