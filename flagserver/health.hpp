// SPDX-License-Identifier: Apache-2.0
// flagserver/health.hpp - /healthz and /readyz.
//
// /healthz  200 as long as the process answers.
// /readyz   200 once flags have been published and until the server stops, else 412 with the reason. Ready is what the
//           published snapshot itself says; nothing is reported ready that an evaluation would not find.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "flag_set.hpp"
#include "http_message.hpp"

namespace flagserver {

class health {
 public:
  /// `problem` says why the file's present content is not in use, or nothing; called for each /readyz, by any thread.
  explicit health(std::function<std::string()> problem);
  /// From now on not ready: the server is about to stop. Any thread.
  void set_stopping() noexcept;

  /// Answers requests for the two paths; false, and nothing done, for any other.
  bool answer(const http_request& request, const flag_set* flags, http_response& response) const;

 private:
  void answer_ready(const flag_set* flags, http_response& response) const;

  std::function<std::string()> problem_;
  std::atomic<bool> stopping_{false};
};

}  // namespace flagserver
