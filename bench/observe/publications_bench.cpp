// SPDX-License-Identifier: Apache-2.0
// What a name costs the publisher of a source, and what a report costs who asks for it.
#include <acqrel/observe/publications.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/harness.hpp"

namespace bench {
namespace {

struct value {
  std::uint64_t words[8] = {};
};
using source = acqrel::snapshot_source<value>;

// Allocates and frees, and tells nobody.
struct allocation {
  void publish(std::unique_ptr<value> next) { current = std::move(next); }
  std::unique_ptr<value> current;
};
struct unnamed : source {};
struct with_name : source {
  with_name() : source(acqrel::named{"bench"}) {}
};

template <class Source>
void enter_publish(const char* contender) {
  enter({.type = "publications", .operation = "publish", .contender = contender, .variation = "alone"}, [] {
    return [to = std::make_shared<Source>()](turn& now) {
      now.begin();
      std::uint64_t done = 0;
      do {
        for (int i = 0; i != 64; ++i, ++done) to->publish(std::make_unique<value>());
      } while (now.running());
      now.end(done);
    };
  });
}

// 64 threads that hold a version each, and sleep.
struct holders {
  explicit holders(bool listed) {
    for (int i = 0; i != 64; ++i) {
      all.emplace_back([this, listed] {
        const auto guard = current.read();
        std::unique_lock lock(mutex);
        if (listed) list.push_back(guard.get());
        ++ready;
        changed.notify_all();
        changed.wait(lock, [&] { return done; });
      });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ready == 64; });
  }
  ~holders() {
    {
      const std::lock_guard lock(mutex);
      done = true;
    }
    changed.notify_all();
    for (std::thread& each : all) each.join();
  }
  source current{acqrel::named{"bench"}, std::make_unique<value>()};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<const value*> list;
  int ready = 0;
  bool done = false;
  std::vector<std::thread> all;
};

template <class Look>
void enter_report(const char* contender, bool listed, Look look) {
  enter({.type = "publications", .operation = "report", .contender = contender, .variation = "64_guards"},
        [listed, look] {
          return [of = std::make_shared<holders>(listed), look](turn& now) {
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 8; ++i, ++done) keep(look(*of));
            } while (now.running());
            now.end(done);
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  enter_publish<allocation>("floor: new and delete");
  enter_publish<unnamed>("ref: without a name");
  enter_publish<with_name>("acqrel");
  goal({.type = "publications",
        .operation = "publish",
        .variation = "alone",
        .contender = "acqrel",
        .against = "ref: without a name",
        .at_most = 3});
  // What can be known where each reader enters itself in a list, under a mutex.
  enter_report("floor: a list's length", true, [](holders& of) {
    const std::lock_guard lock(of.mutex);
    return of.list.size();
  });
  enter_report("ref: std::mutex, a list copied", true, [](holders& of) {
    const std::lock_guard lock(of.mutex);
    return std::vector<const value*>(of.list).size();
  });
  enter_report("acqrel", false, [](holders&) { return acqrel::publications::now().sources.size(); });
  return true;
}();

}  // namespace
}  // namespace bench
