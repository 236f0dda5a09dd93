// SPDX-License-Identifier: Apache-2.0
#include "health.hpp"

#include <utility>

#include "ofrep_route.hpp"

namespace flagserver {

health::health(std::function<std::string()> problem) : problem_(std::move(problem)) {}

void health::set_stopping() noexcept {
  // plain: a word of its own; an answer a moment later is as good
  stopping_.store(true, std::memory_order_relaxed);
}

bool health::answer(const http_request& request, const flag_set* flags, http_response& response) const {
  const std::string_view path = path_of(request.target);
  const bool ready = path == "/readyz";
  if (!ready && path != "/healthz") return false;
  if (request.method != "GET" && request.method != "HEAD") {
    response.allow = "GET, HEAD, OPTIONS";
    if (request.method == "OPTIONS")
      response.status = 204;
    else
      set_error(response, 405, {}, "health is read with GET, not " + request.method);
  } else if (ready) {
    answer_ready(flags, response);
  } else {
    response.body = R"({"status":"ok"})";
  }
  return true;
}

void health::answer_ready(const flag_set* flags, http_response& response) const {
  // plain: see set_stopping
  const bool stopping = stopping_.load(std::memory_order_relaxed);
  const std::string problem = stopping ? "the server is stopping" : problem_();
  const bool ready = flags != nullptr && !stopping;
  response.status = ready ? 200 : 412;
  response.body = ready ? R"({"status":"ready")" : R"({"status":"not ready")";
  if (flags != nullptr) {
    response.body += ",\"flags\":" + std::to_string(flags->size());
    response.body += ",\"revision\":\"" + flags->revision() + '"';
  }
  if (!ready || !problem.empty()) {
    response.body += ready ? ",\"problem\":\"" : ",\"reason\":\"";
    append_json_escaped(response.body, problem.empty() ? "no flags have been loaded yet" : problem);
    response.body += '"';
  }
  response.body += '}';
}

}  // namespace flagserver
