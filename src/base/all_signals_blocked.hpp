// Starts the library's own threads without a signal of the program's: a new thread inherits the mask of the one that makes it.
//
//   const all_signals_blocked mask;
//   thread_ = std::thread([this] { run(); });
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace acqrel {

class all_signals_blocked {
 public:
  all_signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~all_signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  all_signals_blocked(const all_signals_blocked&) = delete;
  all_signals_blocked& operator=(const all_signals_blocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace acqrel
