// SPDX-License-Identifier: Apache-2.0
// reloader_fixture.hpp - a reloader of limits, in the two modes that the tests run it in.
#pragma once

#include "limits.hpp"
#include "watched.hpp"

#include <acqrel/reload/reloader.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace scratch {

using limits_reloader = acqrel::reloader<limits>;

/// The fixture of a test that runs once in each mode.
class reloads_in_both_modes : public in_both_modes {
 protected:
  using reload_settings = acqrel::reload_options<limits>;
  using messages = std::vector<std::string>;

  acqrel::watch_options watch() const {
    acqrel::watch_options quick = in_both_modes::options();
    quick.settle = std::chrono::milliseconds(2);
    if (!GetParam()) quick.poll_interval = quick.sweep_interval = std::chrono::milliseconds(2);
    return quick;
  }
  // Records each failure; falls back to size 7.
  reload_settings recording() {
    return {.fallback = std::make_unique<limits>(limits{7, ~7, 1}),
            .on_failure =
                [this](const acqrel::reload_failure& f) {
                  failed.change([&](messages& all) { all.push_back(f.message); });
                },
            .watch = watch()};
  }
  static int size_in(const limits_reloader& current) { return current.read()->size; }
  // Waits until the generation reaches `wanted`.
  static bool reaches(const limits_reloader& current, std::uint64_t wanted) {
    const auto deadline = acqrel::deadline_after(patience);
    std::uint64_t seen = current.generation();
    while (seen < wanted) {
      const auto next = current.wait_for_change(seen, deadline);
      if (!next) return false;
      seen = *next;
    }
    return true;
  }
  // Waits until `size` is in use.
  static bool becomes(const limits_reloader& current, int size) {
    const auto deadline = acqrel::deadline_after(patience);
    for (;;) {
      const std::uint64_t seen = current.generation();
      const auto now = current.current();
      if (now && now->size == size) return true;
      if (!current.wait_for_change(seen, deadline)) return false;
    }
  }

  observed<messages> failed;
};

}  // namespace scratch
