// SPDX-License-Identifier: Apache-2.0
// A call of what is done, and the value of what is made, beside one acquire load.
#include <acqrel/publish/lazy.hpp>
#include <acqrel/publish/once.hpp>
#include <acqrel/publish/retry_once.hpp>

#include <memory>
#include <mutex>
#include <string>

#include "bench/go.hpp"
#include "bench/harness.hpp"

namespace bench {
namespace {

// 64 reads of one thing that is there already.
template <class Shared, class Read>
void enter_reads(const char* type, const char* operation, const char* contender, Read read) {
  for (const unsigned threads : {1u, 2u}) {
    const row what{.type = type,
                   .operation = operation,
                   .contender = contender,
                   .variation = "read_only",
                   .threads = threads,
                   .environment = {}};
    enter(what, [read] {
      auto shared = std::make_shared<Shared>();
      read(*shared);
      return [read, shared](turn& now) {
        Shared& mine = *shared;
        now.begin();
        std::uint64_t done = 0;
        do {
          for (int i = 0; i != 64; ++i, ++done) keep(read(mine));
        } while (now.running());
        now.end(done);
      };
    });
    if (std::string(contender) == "acqrel") {
      goal({.type = type,
            .operation = operation,
            .variation = "read_only",
            .threads = threads,
            .contender = contender,
            .against = "floor: acquire load",
            .at_most = 1.2});
    }
  }
}

struct floor_word {
  std::atomic<std::uint32_t> state{1};
  std::uint64_t value = 1;
};
struct with_once {
  acqrel::once flag;
  std::uint64_t value = 0;
};
struct with_call_once {
  std::once_flag flag;
  std::uint64_t value = 0;
};

[[gnu::noinline]] std::uint64_t made() { return 1; }

struct with_lazy {
  acqrel::lazy<std::uint64_t (*)()> value{made};
};

struct with_retry_once {
  acqrel::retry_once flag;
  std::uint64_t value = 0;
};

constexpr auto acquire_load = [](floor_word& it) {
  keep(it.state.load(std::memory_order_acquire));
  return it.value;
};
constexpr auto function_static = [](floor_word&) {
  static const std::uint64_t value = made();
  return value;
};

[[maybe_unused]] const bool entered = [] {
  enter_reads<floor_word>("once", "call", "floor: acquire load", acquire_load);
  enter_reads<with_call_once>("once", "call", "ref: std::call_once", [](with_call_once& it) {
    std::call_once(it.flag, [&] { it.value = made(); });
    return it.value;
  });
  enter_reads<floor_word>("once", "call", "ref: function static", function_static);
  for (const unsigned threads : {1u, 2u})
    enter_go({.type = "once",
              .operation = "call",
              .contender = "Go sync.Once",
              .variation = "read_only",
              .threads = threads},
             "once");
  enter_reads<with_once>("once", "call", "acqrel", [](with_once& it) {
    it.flag.call([&] { it.value = made(); });
    return it.value;
  });
  enter_reads<floor_word>("lazy", "get", "floor: acquire load", acquire_load);
  enter_reads<floor_word>("lazy", "get", "ref: function static", function_static);
  enter_reads<with_lazy>("lazy", "get", "acqrel", [](with_lazy& it) { return it.value.get(); });
  enter_reads<floor_word>("retry_once", "call", "floor: acquire load", acquire_load);
  enter_reads<floor_word>("retry_once", "call", "ref: function static", function_static);
  enter_reads<with_retry_once>("retry_once", "call", "acqrel", [](with_retry_once& it) {
    it.flag.call([&] { it.value = made(); });
    return it.value;
  });
  return true;
}();

}  // namespace
}  // namespace bench
