// SPDX-License-Identifier: Apache-2.0
// flagserver/evaluation.hpp - one thread's evaluations: a request's context, and the answers of OFREP.
//
//   evaluation e;                                   // one a thread, kept from request to request
//   if (!e.read_request(body)) return answer(400, e.error());
//   int status = e.evaluate(*flags, {}, "new-checkout", out);
//
// Once warm, neither call takes memory from the heap: contexts and results live in arenas that are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "arena.hpp"
#include "flag_set.hpp"
#include "json_text.hpp"
#include "value.hpp"

namespace flagserver {

class evaluation {
 public:
  evaluation();
  evaluation(const evaluation&) = delete;
  evaluation& operator=(const evaluation&) = delete;

  /// Reads an OFREP body, {"context":{...}}. No body, no context and a context that is no object are an empty
  /// context. False if the body is not JSON; error() then says what and where, and the context is empty.
  bool read_request(std::string_view body);
  const std::string& error() const noexcept { return error_; }

  /// Of the context's meaning: the order of members and the spelling of numbers do not matter.
  std::uint64_t context_hash() const noexcept;

  /// Appends the OFREP answer for one flag. Returns the HTTP status: 200, 400 or 404.
  int evaluate(const flag_set&, const selector&, std::string_view key, std::string& out);
  /// Appends the bulk answer, {"flags":[...],"metadata":{...}}. Returns the HTTP status, 200.
  int evaluate_all(const flag_set&, const selector&, std::string& out);
  /// Some selected rule reads $flagd.timestamp: an answer may change without a revision.
  bool reads_time(const flag_set&, const selector&) const;

 private:
  int answer(const flag_set&, const flag&, std::string& out);
  int refuse(const flag&, std::string_view code, std::string_view details, std::string& out);
  void adopt_context(const value* context);
  void set_time();

  arena memory_;   // the context, from one read_request to the next
  arena scratch_;  // what one rule computes, from one evaluation to the next
  json_reader reader_;
  value client_context_;  // as the client sent it, without $flagd
  value context_;         // with $flagd, as rules see it
  member flagd_[2];       // what $flagd holds: flagKey and timestamp, set for each flag
  std::string buffer_;    // for texts that are put together
  std::string error_;
};

}  // namespace flagserver
