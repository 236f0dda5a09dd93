// SPDX-License-Identifier: Apache-2.0
// A set of 100,000 numbers, with one answer in a hundred wrong: asked for those that are there and those that are not, and given
// those that it has already and new ones.
#include <acqrel/keyed/bloom_set.hpp>

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_set>
#include <vector>

#include "bench/harness.hpp"

namespace bench {
namespace {

constexpr std::uint64_t keys = 100'000;
const auto wanted = acqrel::bloom_set::shape_for(keys, 0.01);

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}

// The same bits, of one thread.
struct alone {
  template <class F>
  bool each(std::uint64_t key, F f) {
    __extension__ typedef unsigned __int128 wide;
    std::uint64_t at = mix(key + 0x9E3779B97F4A7C15);
    const std::uint64_t step = mix(at) | 1;
    for (std::uint32_t i = 0; i != wanted.hashes; ++i, at = at * 0xD1342543DE82EF95 + step)
      if (!f(static_cast<std::uint64_t>(wide{at} * wanted.bits >> 64))) return false;
    return true;
  }
  void add(std::uint64_t key) {
    each(key, [&](std::uint64_t bit) { return words[bit / 64] |= std::uint64_t{1} << bit % 64, true; });
  }
  bool contains(std::uint64_t key) {
    return each(key, [&](std::uint64_t bit) { return (words[bit / 64] >> bit % 64 & 1) != 0; });
  }
  std::vector<std::uint64_t> words = std::vector<std::uint64_t>(wanted.bits / 64);
};

// The source document's, with good hashes: a remainder for each bit, and a compare-exchange for each that is added.
struct documents {
  template <class F>
  bool each(std::uint64_t key, F f) {
    const std::uint64_t h1 = mix(key + 0x9E3779B97F4A7C15), h2 = mix(h1) | 1;
    for (std::uint64_t i = 0; i != wanted.hashes; ++i)
      if (!f((h1 + i * h2) % (words.size() * 64))) return false;
    return true;
  }
  void add(std::uint64_t key) {
    each(key, [&](std::uint64_t bit) {
      const std::uint64_t mask = std::uint64_t{1} << bit % 64;
      std::uint64_t now = words[bit / 64].load(std::memory_order_seq_cst);
      while ((now & mask) == 0 && !words[bit / 64].compare_exchange_strong(now, now | mask, std::memory_order_seq_cst,
                                                                           std::memory_order_seq_cst)) {
      }
      return true;
    });
  }
  bool contains(std::uint64_t key) {
    return each(
        key, [&](std::uint64_t bit) { return (words[bit / 64].load(std::memory_order_seq_cst) >> bit % 64 & 1) != 0; });
  }
  std::vector<std::atomic<std::uint64_t>> words = std::vector<std::atomic<std::uint64_t>>(wanted.bits / 64);
};

struct locked {
  void add(std::uint64_t key) {
    const std::lock_guard lock(mutex);
    set.insert(key);
  }
  bool contains(std::uint64_t key) {
    const std::shared_lock lock(mutex);
    return set.contains(key);
  }
  std::shared_mutex mutex{};
  std::unordered_set<std::uint64_t> set{};
};

struct ours : acqrel::bloom_set {
  ours() : bloom_set(wanted) {}
};

enum class what { there, not_there, again };

template <class Set>
void enter_set(const char* contender, std::initializer_list<unsigned> of_threads) {
  for (const unsigned threads : of_threads) {
    for (const what part : {what::there, what::not_there, what::again}) {
      enter({.type = "bloom_set",
             .operation = part == what::again ? "add" : "contains",
             .contender = contender,
             .variation = part == what::there       ? "there"
                          : part == what::not_there ? "not_there"
                                                    : "again",
             .threads = threads},
            [part] {
              const auto set = std::make_shared<Set>();
              for (std::uint64_t n = 0; n != keys; ++n) set->add(n);
              return [part, set](turn& now) {
                std::uint64_t next = 12'345 * (now.thread() + 1), done = 0;
                now.begin();
                do {
                  for (int i = 0; i != 256; ++i, ++done) {
                    next = next + 7919 < keys ? next + 7919 : next + 7919 - keys;
                    if (part == what::again)
                      set->add(next);
                    else
                      keep(set->contains(part == what::there ? next : next + keys));
                  }
                } while (now.running());
                now.end(done);
              };
            });
    }
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_set<alone>("floor: the same, of one thread", {1});
  enter_set<documents>("floor: with remainders, compare-exchange", {2});
  enter_set<documents>("source document's", {1});
  enter_set<locked>("ref: std::shared_mutex, unordered_set", {1, 2});
  enter_set<ours>("acqrel", {1, 2});
  for (const char* const variation : {"there", "not_there", "again"})
    goal({.type = "bloom_set",
          .operation = variation == std::string("again") ? "add" : "contains",
          .variation = variation,
          .threads = 1,
          .contender = "acqrel",
          .against = "floor: the same, of one thread",
          .at_most = 1.2});
  return true;
}();

}  // namespace
}  // namespace bench
