// SPDX-License-Identifier: Apache-2.0
#include "site_table.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>

#if defined(__GLIBC__)
#include <execinfo.h>
#endif

namespace acqrel {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constinit std::mutex settings;         // observe(), ignore() and so_far(); no sample takes it
constinit site_table* seen = nullptr;  // never destroyed: a sample may be under way
constinit steady_clock::time_point began{};
constinit std::atomic<std::int64_t> every{0};
constinit std::atomic<std::uint32_t> retries{1};

// xorshift64*, Vigna 2016: a number of this thread's own.
std::uint64_t random_number() noexcept {
  static constinit thread_local std::uint64_t state = 0;
  if (state == 0) {
    state = (reinterpret_cast<std::uintptr_t>(&state) ^
             static_cast<std::uint64_t>(steady_clock::now().time_since_epoch().count()) << 20) |
            1;
  }
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545F4914F6CDD1DU;
}

int walk_stack(void** frames, int room) noexcept {
#if defined(__GLIBC__)
  return backtrace(frames, room);
#else
  frames[0] = frames[1] = __builtin_return_address(0);
  return std::min(room, 2);
#endif
}

// The longer a wait, the more likely is its sample, which stands for as many as would have been needed.
[[gnu::noinline]] void sample(probe what, std::int64_t waited) noexcept {
  std::uint64_t times = 256;
  if (what == probe::retry) {
    // plain: a setting
    const std::uint32_t rate = retries.load(std::memory_order_relaxed);
    if (random_number() % rate != 0) return;
    times *= rate;
  } else {
    // plain: a setting
    const std::int64_t rate = every.load(std::memory_order_relaxed);
    waited = std::max<std::int64_t>(waited, 1);
    if (waited < rate) {
      if (static_cast<std::int64_t>(random_number() % static_cast<std::uint64_t>(rate)) >= waited) return;
      times = times * static_cast<std::uint64_t>(rate) / static_cast<std::uint64_t>(waited);
      waited = rate;
    }
  }
  void* stack[site_table::frames + 1];
  const int depth = walk_stack(stack, std::size(stack));
  if (depth <= 1) return;
  seen->add({what, times, waited, static_cast<std::size_t>(depth - 1), stack + 1});  // without this function
}

}  // namespace

void contention::observe(sampling how) {
  if (how.every < nanoseconds(1) || how.retries < 1) {
    throw std::invalid_argument(
        "acqrel: contention::observe() takes one sample for so many nanoseconds, one of so many "
        "retries: both at least 1; ignore() ends it");
  }
  const std::lock_guard lock(settings);
  if (seen == nullptr) {
    seen = new site_table(2048);
    began = steady_clock::now();
    void* frames[2];
    (void)walk_stack(frames, 2);  // the first walk of a process allocates
  }
  // plain: a setting
  every.store(how.every.count(), std::memory_order_relaxed);
  // plain: a setting
  retries.store(how.retries, std::memory_order_relaxed);
  install_probe(&sample);
}

void contention::ignore() noexcept { install_probe(nullptr); }

contention contention::so_far() {
  contention all;
  const std::lock_guard lock(settings);
  if (seen == nullptr) return all;
  seen->read(all);
  all.duration = steady_clock::now() - began;
  std::sort(all.sites.begin(), all.sites.end(),
            [](const site& a, const site& b) { return std::pair(a.waited, a.times) > std::pair(b.waited, b.times); });
  return all;
}

contention contention::since(const contention& before) const {
  std::map<std::pair<probe, std::vector<std::uintptr_t>>, const site*> known;
  for (const site& each : before.sites) known.emplace(std::pair(each.what, each.stack), &each);
  contention rest;
  rest.lost = lost - before.lost;
  rest.duration = duration - before.duration;
  for (site each : sites) {
    if (const auto was = known.find(std::pair(each.what, each.stack)); was != known.end()) {
      each.times -= was->second->times;
      each.waited -= was->second->waited;
    }
    if (each.times > 0) rest.sites.push_back(std::move(each));
  }
  std::sort(rest.sites.begin(), rest.sites.end(),
            [](const site& a, const site& b) { return std::pair(a.waited, a.times) > std::pair(b.waited, b.times); });
  return rest;
}

contention contention::only(std::initializer_list<probe> kinds) const {
  contention some = *this;
  std::erase_if(some.sites,
                [&](const site& each) { return std::find(kinds.begin(), kinds.end(), each.what) == kinds.end(); });
  return some;
}

}  // namespace acqrel
