// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/time_source.hpp>

#include <time.h>

namespace acqrel {
namespace {

class steady_time_source final : public time_source {
 public:
  steady_deadline now() noexcept override { return std::chrono::steady_clock::now(); }
  bool park_until(const park_word& word, std::uint32_t expected, steady_deadline deadline) noexcept override {
    return acqrel::park_until(word, expected, deadline);
  }
};

class coarse_time_source final : public time_source {
 public:
  steady_deadline now() noexcept override {
#if defined(CLOCK_MONOTONIC_COARSE)
    timespec tick;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &tick) == 0)
      return steady_deadline(std::chrono::seconds(tick.tv_sec) + std::chrono::nanoseconds(tick.tv_nsec));
#endif
    return std::chrono::steady_clock::now();
  }
  bool park_until(const park_word& word, std::uint32_t expected, steady_deadline deadline) noexcept override {
    steady_deadline look = deadline;
    for (;;) {
      if (acqrel::park_until(word, expected, look)) return true;
      if (now() >= deadline) return false;
      look = deadline_after(std::chrono::milliseconds(1));  // the tick has yet to come
    }
  }
};

constinit steady_time_source steady_time;
constinit coarse_time_source coarse_time;

}  // namespace

time_source& time_source::steady() noexcept { return steady_time; }
time_source& time_source::coarse() noexcept { return coarse_time; }

}  // namespace acqrel
