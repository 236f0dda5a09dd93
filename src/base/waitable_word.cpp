// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/padded.hpp>
#include <acqrel/base/waitable_word.hpp>

namespace acqrel {
namespace {

constexpr unsigned bits = 6;
constinit padded<park_word> bells[1U << bits];  // without a destructor: usable until the process ends

park_word& bell(const void* word) noexcept {
  // Fibonacci hashing: the high bits of the product depend on all bits of the address.
  const auto hash = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(word)) * 0x9E3779B97F4A7C15U;
  return *bells[hash >> (64 - bits)];
}

}  // namespace

const park_word& waitable_word::bell_of(const void* word) noexcept { return bell(word); }

void waitable_word::ring(const void* word) noexcept {
  park_word& all = bell(word);
  // edge waitable_word.bell: release
  all.fetch_add(1, std::memory_order_release);
  unpark_all(all);
}

}  // namespace acqrel
