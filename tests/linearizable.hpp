// tests/linearizable.hpp - were these calls of several threads as if made one after the other, each at one moment within it?
//
//   struct counter_spec {                        // the object as one thread sees it
//     struct operation { int returned = -1; };   // a call: its arguments, and what came of it
//     using state = int;                         // with == and a copy; a default-made one is the object at first
//     static bool step(state& now, const operation& o) { return o.returned == now++; }   // can that have come of it now?
//     static std::string text(const operation& o) { return "next() = " + std::to_string(o.returned); }
//   };
//   linearizable::history<counter_spec> calls(2);                            // of two threads, 0 and 1
//   calls.record(0, {}, [&](auto& o) { o.returned = counter.next(); });      // by thread 0, while 1 records its own
//   EXPECT_EQ(calls.broken(), "");                                           // when all have ended
//
// A spec with `static auto key(const operation&)` says that calls with different keys have nothing to do with each other:
// each key is then decided alone, which is right (linearizability is local) and much faster. linearizable::find_broken()
// runs many short histories on new objects. The decision is exhaustive: all orders that time allows, by depth first search
// (Wing and Gong 1993), where a set of calls that led to the same state is tried once (Lowe 2017). At most 64 calls a key.
//
// When a call began and ended is numbered by one counter, which orders the recorded calls more than the object alone would:
// what a missing order between two objects allows is seen in a model test only. There, too, a history can be recorded.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace linearizable {

template <class Spec>
struct call {
  typename Spec::operation what;
  std::uint64_t from, to;
  std::size_t thread;
};

/// Whether `calls`, 64 at most, are as if made in some order: by time, and of objects that are as `state` at first.
template <class Spec>
bool in_some_order(const std::vector<call<Spec>>& calls, const typename Spec::state& state = {}) {
  if (calls.size() > 64) throw std::invalid_argument("linearizable: more than 64 calls of one object; record fewer");
  const std::uint64_t all = calls.size() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << calls.size()) - 1;
  struct search {
    const std::vector<call<Spec>>& calls;
    const std::uint64_t all;
    std::unordered_map<std::uint64_t, std::vector<typename Spec::state>> tried{};

    bool from(std::uint64_t done, const typename Spec::state& now) {
      if (done == all) return true;
      auto& before = tried[done];
      if (std::find(before.begin(), before.end(), now) != before.end()) return false;
      before.push_back(now);
      std::uint64_t first_end = UINT64_MAX;  // who began after that comes after that call
      for (std::size_t i = 0; i != calls.size(); ++i) {
        if ((done >> i & 1) == 0) first_end = std::min(first_end, calls[i].to);
      }
      for (std::size_t i = 0; i != calls.size(); ++i) {
        if ((done >> i & 1) != 0 || calls[i].from > first_end) continue;
        typename Spec::state next = now;
        if (Spec::step(next, calls[i].what) && from(done | std::uint64_t{1} << i, next)) return true;
      }
      return false;
    }
  };
  return search{calls, all}.from(0, state);
}

template <class Spec>
class history {
 public:
  using operation = typename Spec::operation;

  explicit history(std::size_t threads) : calls_(threads) {}

  /// Makes a call as `thread`: f(operation&) makes it, and notes what came of it. Each thread its own.
  template <class F>
  void record(std::size_t thread, operation what, F f) {
    const std::uint64_t from = clock_.fetch_add(1, std::memory_order_seq_cst);
    f(what);
    const std::uint64_t to = clock_.fetch_add(1, std::memory_order_seq_cst);
    calls_[thread].push_back({std::move(what), from, to, thread});
  }

  /// Empty if it is linearizable; else the calls that are not, by the time they began. When all threads have ended.
  [[nodiscard]] std::string broken(const typename Spec::state& at_first = {}) const {
    std::vector<call<Spec>> all;
    for (const auto& mine : calls_) all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
    if constexpr (requires(const operation& o) { Spec::key(o); }) {
      std::map<std::decay_t<decltype(Spec::key(std::declval<const operation&>()))>, std::vector<call<Spec>>> by_key;
      for (const auto& each : all) by_key[Spec::key(each.what)].push_back(each);
      for (const auto& [key, calls] : by_key) {
        if (!in_some_order(calls, at_first)) return text(calls);
      }
    } else {
      if (!in_some_order(all, at_first)) return text(all);
    }
    return "";
  }

 private:
  static std::string text(const std::vector<call<Spec>>& calls) {
    std::string lines = "not linearizable:\n";
    for (const auto& each : calls) {
      lines += "  thread " + std::to_string(each.thread) + "  " + std::to_string(each.from) + " to " +
               std::to_string(each.to) + "  " + Spec::text(each.what) + "\n";
    }
    return lines;
  }

  std::atomic<std::uint64_t> clock_{0};
  std::vector<std::vector<call<Spec>>> calls_;
};

/// Rounds of calls that `threads` threads make at one time, of an Object that is new in each: call(object, history, thread,
/// random) makes one, `each` times. The first history that is broken, or nothing.
template <class Spec, class Object, class Call>
std::string find_broken(unsigned seed, int rounds, unsigned threads, int each, Call call) {
  std::string found;
  std::vector<std::unique_ptr<Object>> objects;
  std::vector<std::unique_ptr<history<Spec>>> histories;
  for (int i = 0; i != rounds; ++i) {
    objects.push_back(std::make_unique<Object>());
    histories.push_back(std::make_unique<history<Spec>>(threads));
  }
  std::barrier together(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::thread> running;
  for (unsigned t = 0; t != threads; ++t) {
    running.emplace_back([&, t] {
      std::minstd_rand random(seed + t);
      for (int round = 0; round != rounds; ++round) {
        const auto r = static_cast<std::size_t>(round);
        together.arrive_and_wait();
        for (int i = 0; i != each; ++i) call(*objects[r], *histories[r], t, random);
      }
    });
  }
  for (auto& one : running) one.join();
  for (const auto& one : histories) {
    found = one->broken();
    if (!found.empty()) return found;
  }
  return found;
}

}  // namespace linearizable
