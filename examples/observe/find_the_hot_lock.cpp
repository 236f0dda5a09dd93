// SPDX-License-Identifier: Apache-2.0
// A shop whose threads stand in line, before and after: docs/tutorial/find-the-hot-lock.md walks through it.
//     find_the_hot_lock [slow|fixed NAME]    writes NAME.pb and NAME.svg; with nothing, runs both and writes nothing
#include <acqrel/observe/contention.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using price_list = std::map<std::string, double>;
using std::chrono::steady_clock;

constexpr int threads = 4, quotes = 200;

// Asks the warehouse how many there are, which takes 200 us.
std::string reply(const std::string& item, double price) {
  std::this_thread::sleep_for(std::chrono::microseconds(200));
  return item + " " + std::to_string(price);
}

class audit {
 public:
  [[gnu::noinline]] void note(const std::string& quote) {
    const std::lock_guard lock(mutex_);
    characters_ += quote.size();
  }

 private:
  acqrel::profiled<std::mutex> mutex_;
  std::size_t characters_ = 0;
};

// [hot-lock-slow]
class slow_shop {
 public:
  [[gnu::noinline]] std::string quote(const std::string& item) {
    const std::lock_guard lock(mutex_);
    ++asked_;
    return reply(item, prices_.at(item));
  }
  [[gnu::noinline]] void change(const std::string& item, double price) {
    const std::lock_guard lock(mutex_);
    prices_[item] = price;
  }

 private:
  acqrel::profiled<std::mutex> mutex_;  // of all below
  price_list prices_{{"apple", 1.5}, {"pear", 2}};
  long asked_ = 0;
};
// [/hot-lock-slow]

// [hot-lock-fixed]
class fixed_shop {
 public:
  [[gnu::noinline]] std::string quote(const std::string& item) {
    asked_.fetch_add(1, std::memory_order_relaxed);
    const auto now = prices_.read();
    return reply(item, now->at(item));
  }
  [[gnu::noinline]] void change(const std::string& item, double price) {
    prices_.update([&](const price_list& old) {
      auto next = std::make_unique<price_list>(old);
      (*next)[item] = price;
      return next;
    });
  }

 private:
  acqrel::snapshot_source<price_list> prices_{std::make_unique<price_list>(price_list{{"apple", 1.5}, {"pear", 2}})};
  std::atomic<long> asked_{0};
};
// [/hot-lock-fixed]

template <class Shop>
[[gnu::noinline]] void serve(Shop& shop, audit& all) {
  for (int i = 0; i != quotes; ++i) {
    if (i % 100 == 0) shop.change("apple", 1.5 + i);
    all.note(shop.quote(i % 2 == 0 ? "apple" : "pear"));
  }
}

bool save(const std::string& path, const std::string& bytes) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return std::fclose(file) == 0 && whole;
}

// Where the threads waited, and for how long this ran.
template <class Shop>
acqrel::contention open(const char* name) {
  const acqrel::contention before = acqrel::contention::so_far();
  Shop shop;
  audit all;
  // [hot-lock-observe]
  acqrel::contention::observe();
  const auto begin = steady_clock::now();
  std::vector<std::thread> clerks;
  for (int i = 0; i != threads; ++i) clerks.emplace_back([&] { serve(shop, all); });
  for (std::thread& each : clerks) each.join();
  const std::chrono::duration<double, std::milli> took = steady_clock::now() - begin;
  acqrel::contention::ignore();
  const acqrel::contention locks = acqrel::contention::so_far().since(before).only({acqrel::probe::lock});
  // [/hot-lock-observe]
  std::printf("%s: %d quotes in %.0f ms; %s\n", name, threads * quotes, took.count(), locks.table(2).c_str());
  return locks;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string which = argc == 3 ? argv[1] : "both";
  for (const bool fixed : {false, true}) {
    if (which == (fixed ? "slow" : "fixed")) continue;
    const acqrel::contention locks = fixed ? open<fixed_shop>("fixed") : open<slow_shop>("slow");
    if (argc != 3) continue;
    const std::string name = argv[2];
    // [hot-lock-save]
    if (!save(name + ".pb", locks.pprof()) || !save(name + ".svg", locks.flame_graph())) return 1;
    // [/hot-lock-save]
  }
}
