// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/time_source.hpp>

namespace acqrel {
namespace {

class steady_time_source final : public time_source {
 public:
  steady_deadline now() noexcept override { return std::chrono::steady_clock::now(); }
  bool park_until(const park_word& word, std::uint32_t expected, steady_deadline deadline) noexcept override {
    return acqrel::park_until(word, expected, deadline);
  }
};

constinit steady_time_source steady_time;

}  // namespace

time_source& time_source::steady() noexcept { return steady_time; }

}  // namespace acqrel
