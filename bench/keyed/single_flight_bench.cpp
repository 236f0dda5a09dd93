// SPDX-License-Identifier: Apache-2.0
// A key that nobody else wants at the time, whose work does nothing: what the sharing costs when there is nothing to share.
#include <acqrel/keyed/single_flight.hpp>

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bench/go.hpp"
#include "bench/harness.hpp"

namespace bench {
namespace {

struct ours {
  template <class Work>
  std::uint64_t run(const std::string& key, Work work) {
    return *flights.run(key, work);
  }
  acqrel::single_flight<std::string, std::uint64_t> flights{};
};

struct promises {
  template <class Work>
  std::uint64_t run(const std::string& key, Work work) {
    std::promise<std::uint64_t> mine;
    std::shared_future<std::uint64_t> result;
    {
      const std::lock_guard lock(mutex);
      const auto [at, fresh] = under_way.try_emplace(key);
      if (!fresh) {
        result = at->second;
      } else {
        at->second = mine.get_future().share();
      }
    }
    if (result.valid()) return result.get();
    std::exception_ptr error;
    std::uint64_t value = 0;
    try {
      value = work(key);
    } catch (...) {
      error = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex);
      under_way.erase(key);
    }
    if (error != nullptr) {
      mine.set_exception(error);
      std::rethrow_exception(error);
    }
    mine.set_value(value);
    return value;
  }
  std::mutex mutex{};
  std::map<std::string, std::shared_future<std::uint64_t>> under_way{};
};

// An allocation for what is shared, and the lock that it takes to share it and to end that.
struct allocate_and_lock {
  template <class Work>
  std::uint64_t run(const std::string& key, Work work) {
    auto shared = std::make_shared<std::pair<std::string, std::uint64_t>>(key, 0);
    {
      const std::lock_guard lock(mutex);
      current = shared.get();
    }
    shared->second = work(key);
    const std::lock_guard lock(mutex);
    current = nullptr;
    return shared->second;
  }
  std::mutex mutex{};
  void* current = nullptr;
};

template <class Flights>
void enter_flights(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    enter({.type = "single_flight",
           .operation = "fresh_key",
           .contender = contender,
           .variation = "",
           .threads = threads,
           .environment = {}},
          [] {
            const auto flights = std::make_shared<Flights>();
            return [flights](turn& now) {
              std::vector<std::string> keys;
              for (int i = 0; i != 1024; ++i)
                keys.push_back(std::to_string(1000 * now.thread()) + "/" + std::to_string(i));
              now.begin();
              std::uint64_t done = 0;
              do {
                for (const auto& key : keys) keep(flights->run(key, [](const std::string& of) { return of.size(); }));
                done += keys.size();
              } while (now.running());
              now.end(done);
            };
          });
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_flights<allocate_and_lock>("floor: allocate, lock twice");
  enter_flights<promises>("ref: mutex, map, shared_future");
  enter_flights<ours>("acqrel");
  for (const unsigned threads : {1u, 2u}) {
    enter_go({.type = "single_flight",
              .operation = "fresh_key",
              .contender = "Go map, mutex, WaitGroup",
              .variation = "",
              .threads = threads,
              .environment = {}},
             "single_flight");
    if (have_go) {
      goal({.type = "single_flight",
            .operation = "fresh_key",
            .variation = "",
            .threads = threads,
            .contender = "acqrel",
            .against = "Go map, mutex, WaitGroup",
            .at_most = 0.99});
    }
  }
  goal({.type = "single_flight",
        .operation = "fresh_key",
        .variation = "",
        .threads = 1,
        .contender = "acqrel",
        .against = "ref: mutex, map, shared_future",
        .at_most = 0.7});
  return true;
}();

}  // namespace
}  // namespace bench
