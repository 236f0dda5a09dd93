// A thread that runs on and on without an operation: a loop that waits for plain data, or for nothing. No other thread can
// run meanwhile, so that only a clock notices.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ctime>

namespace acqrel::model {

/// The clock struck in the midst of the checker's work: each plain access is to call look_for_silence().
extern bool silence_is_due;
void look_for_silence(const void* site);

/// Looks, every second of processor time of this kernel thread, whether `*operations` has changed.
/// When it has not for two seconds or more, calls silent() on the checker's own stack, which must not return; `site`: where
/// the code is, as sites.hpp takes it.
class watch {
 public:
  watch(const std::uint64_t* operations, void (*silent)(const void* site));
  ~watch();
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;

 private:
  timer_t timer_{};  // the first of a process is number 0, which looks like a null pointer
  bool armed_ = false;
};

}  // namespace acqrel::model
