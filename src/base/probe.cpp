// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/probe.hpp>

#include <atomic>
#include <chrono>

namespace acqrel {
namespace {

constinit std::atomic<probe_function> installed{nullptr};
constinit thread_local bool waits = false;

std::int64_t now() noexcept {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

probe_function outermost() noexcept {
  // edge probe.installed: acquire
  const probe_function function = installed.load(std::memory_order_acquire);
  return function == nullptr || waits ? nullptr : function;
}

}  // namespace

void install_probe(probe_function function) noexcept {
  // edge probe.installed: release
  installed.store(function, std::memory_order_release);
}

probe_wait::probe_wait(probe what) noexcept : function_(outermost()), what_(what) {
  if (function_ == nullptr) return;
  waits = true;
  since_ = now();
}

probe_wait::~probe_wait() {
  if (function_ == nullptr) return;
  function_(what_, now() - since_);
  waits = false;
}

void probe_retry() noexcept {
  if (const probe_function function = outermost()) function(probe::retry, 0);
}

}  // namespace acqrel
