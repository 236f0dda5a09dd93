// SPDX-License-Identifier: Apache-2.0
// watched.hpp - a file_watcher that reads its file at each call, in the two modes that the tests run it in.
#pragma once

#include "scratch.hpp"

#include <acqrel/reload/file_watcher.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

namespace scratch {

/// By inotify alone: every other reason to look is an hour away, so that none can cover for a notice that is missing.
inline acqrel::watch_options by_notice() {
  using namespace std::chrono_literals;
  return {.poll_interval = 1h, .sweep_interval = 1h, .settle = 5ms, .settle_limit = 1s};
}
/// By polling alone.
inline acqrel::watch_options by_polling() {
  using namespace std::chrono_literals;
  return {.poll_interval = 5ms, .sweep_interval = 5ms, .settle = 5ms, .settle_limit = 1s, .force_polling = true};
}

/// Reads the file at each call and remembers what it last read.
class reader {
 public:
  reader(fs::path path, acqrel::watch_options options)
      : path_(std::move(path)),
        watcher_(
            path_.string(), [this] { return read(); }, options) {}

  // H12 H13: the last content is what the last call found.
  void expect(const std::string& content, const std::string& after) const {
    EXPECT_TRUE(content_.wait_until([&](const std::string& seen) { return seen == content; }))
        << "not noticed: " << after << "; last read: " << content_.get();
  }
  bool uses_inotify() const { return watcher_.notified_by_system(); }

 private:
  bool read() {
    std::string now = scratch::read(path_);
    content_.change([&](std::string& seen) { seen = std::move(now); });
    return true;
  }

  const fs::path path_;
  observed<std::string> content_;
  acqrel::file_watcher watcher_;
};

/// True is by notice.
inline auto modes() {
#if defined(__linux__)
  return testing::Bool();
#else
  return testing::Values(false);
#endif
}

/// The fixture of a test that runs once in each mode.
class in_both_modes : public testing::TestWithParam<bool> {
 protected:
  acqrel::watch_options options() const { return GetParam() ? by_notice() : by_polling(); }
  directory dir;
  const fs::path file = dir / "flags.json";
};

}  // namespace scratch
