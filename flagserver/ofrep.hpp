// SPDX-License-Identifier: Apache-2.0
// flagserver/ofrep.hpp - the OpenFeature Remote Evaluation Protocol 0.3: from a request and one snapshot to an answer.
//
//   POST /ofrep/v1/evaluate/flags/{key}   one flag
//   POST /ofrep/v1/evaluate/flags         every flag, with ETag and If-None-Match
//
// No sockets, no clock, no state but storage that is used again. An answer is made from the one snapshot given, so a
// bulk answer cannot mix two versions.
#pragma once

#include <string>
#include <string_view>

#include "evaluation.hpp"
#include "flag_set.hpp"
#include "http_message.hpp"
#include "ofrep_route.hpp"

namespace flagserver {

class ofrep {
 public:
  /// Fills `response`, which comes cleared. `flags` may be null: nothing has been loaded yet.
  void answer(const http_request& request, const flag_set* flags, http_response& response);

 private:
  void answer_bulk(const http_request& request, const flag_set& flags, const selector& chosen, http_response& response);

  evaluation evaluation_;
  selector everything_;
};

}  // namespace flagserver
