// SPDX-License-Identifier: Apache-2.0
#include "site_table.hpp"

#include <algorithm>

namespace acqrel {
namespace {

// FNV-1a over words, then mixed: two stacks that are told apart by one address must differ in the low bits too.
std::uint64_t key_of(const site_table::sample& one) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U ^ static_cast<std::uint64_t>(one.what);
  for (std::size_t i = 0; i != one.depth; ++i) {
    hash = (hash ^ reinterpret_cast<std::uintptr_t>(one.stack[i])) * 0x100000001B3U;
  }
  hash ^= hash >> 32;
  hash *= 0x9E3779B97F4A7C15U;
  hash ^= hash >> 29;
  return hash | 1;
}

}  // namespace

// Where it is, or was put. Two keys alike are taken for one place: once in 10^13 pairs.
site_table::place* site_table::find(std::uint64_t key, const sample& one) noexcept {
  constexpr std::size_t tries = 32;
  for (std::size_t i = 0; i != tries; ++i) {
    place& here = places_[((key >> 1) + i) & mask_];
    // plain: a number; what belongs to it is read by read() only
    std::uint64_t found = here.key.load(std::memory_order_relaxed);
    // plain: as above; who wins writes the rest
    if (found == 0 &&
        here.key.compare_exchange_strong(found, key, std::memory_order_relaxed, std::memory_order_relaxed)) {
      here.what = one.what;
      here.depth = static_cast<std::uint8_t>(one.depth);
      std::transform(one.stack, one.stack + one.depth, here.stack,
                     [](void* frame) { return reinterpret_cast<std::uintptr_t>(frame); });
      // edge contention.site: release
      here.complete.store(true, std::memory_order_release);
      return &here;
    }
    if (found == key) return &here;
  }
  return nullptr;
}

void site_table::add(const sample& one) noexcept {
  place* const here = find(key_of(one), one);
  if (here == nullptr) {
    // plain: a statistic
    lost_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  // plain: a statistic
  here->times.fetch_add(one.times, std::memory_order_relaxed);
  // plain: a statistic
  here->nanoseconds.fetch_add(one.nanoseconds, std::memory_order_relaxed);
}

void site_table::read(contention& into) const {
  for (std::size_t i = 0; i <= mask_; ++i) {
    const place& here = places_[i];
    // edge contention.site: acquire
    if (!here.complete.load(std::memory_order_acquire)) continue;
    // plain: a statistic
    const std::uint64_t times = here.times.load(std::memory_order_relaxed);
    // plain: a statistic
    const std::chrono::nanoseconds waited(here.nanoseconds.load(std::memory_order_relaxed));
    into.sites.push_back({here.what, static_cast<double>(times) / 256, waited, {here.stack, here.stack + here.depth}});
  }
  // plain: a statistic
  into.lost = lost_.load(std::memory_order_relaxed);
}

}  // namespace acqrel
