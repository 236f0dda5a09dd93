// SPDX-License-Identifier: Apache-2.0
#include "ofrep.hpp"

#include <optional>
#include <string>

#include "entity_tag.hpp"

namespace flagserver {

namespace {

constexpr std::string_view allowed_methods = "POST, OPTIONS";

/// Fails a request for one flag in the form that clients expect there: with the key. For bulk, `route.key` is no key.
void fail(http_response& response, const ofrep_route& route, unsigned status, std::string_view code,
          std::string_view details) {
  set_error(response, status, code, details);
  if (route.what != ofrep_route::kind::single) return;
  std::string key = "\"key\":\"";
  append_json_escaped(key, route.key);
  key += "\",";
  response.body.insert(1, key);
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// application/json, or any type built on it ("+json"); parameters do not matter. So is what curl -d and Python's
/// urllib say of every body when told nothing: it means that nothing was said, and the parser judges the body.
bool may_be_json(std::string_view content_type) noexcept {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  const std::size_t plus = type.rfind('+');
  return equal_ignoring_case(type, "application/json") ||
         equal_ignoring_case(type, "application/x-www-form-urlencoded") ||
         (plus != std::string_view::npos && equal_ignoring_case(type.substr(plus), "+json"));
}

/// What is wrong with the form of the body, or nothing.
std::string unsupported_body(const http_request& request) {
  if (request.body.empty()) return {};
  const std::string_view type = request.headers.first("Content-Type");
  if (!type.empty() && !may_be_json(type))
    return "the body's Content-Type is " + std::string(type) + "; send application/json";
  const std::string_view coding = request.headers.first("Content-Encoding");
  if (!coding.empty() && !equal_ignoring_case(coding, "identity"))
    return "the body's Content-Encoding is " + std::string(coding) + "; send it without";
  return {};
}

std::uint64_t add_selector(std::uint64_t hash, const selector& chosen) noexcept {
  if (chosen.flag_set_id()) hash = hash_text(*chosen.flag_set_id(), hash_text("flagSetId=", hash));
  if (chosen.source()) hash = hash_text(*chosen.source(), hash_text("source=", hash));
  return hash;
}

}  // namespace

void ofrep::answer(const http_request& request, const flag_set* flags, http_response& response) {
  const std::string_view path = path_of(request.target);
  const ofrep_route route = route_ofrep(path);
  const bool options = request.method == "OPTIONS";
  if (route.what == ofrep_route::kind::none && !(options && path == "*"))
    return fail(response, route, 404, {},
                "nothing is served at this path; flags are evaluated with POST /ofrep/v1/evaluate/flags/{key}");
  if (options) {
    response.status = 204;
    response.allow = allowed_methods;
    return;
  }
  if (request.method != "POST") {
    fail(response, route, 405, "GENERAL", "flags are evaluated with POST, not " + request.method);
    response.allow = allowed_methods;
    return;
  }
  if (!is_utf8(route.key)) return fail(response, route, 400, "GENERAL", "the flag key in the path is not UTF-8");
  if (flags == nullptr) {
    fail(response, route, 503, "PROVIDER_NOT_READY", "no flags have been loaded yet; /readyz says why");
    response.retry_after_seconds = 1;
    return;
  }
  if (const std::string problem = unsupported_body(request); !problem.empty())
    return fail(response, route, 415, "GENERAL", problem);

  std::optional<selector> named;
  if (const std::string_view header = request.headers.first("Flagd-Selector"); !header.empty()) {
    std::string error;
    named = selector::parse(header, error);
    if (!named) return fail(response, route, 400, "GENERAL", "Flagd-Selector: " + error);
  }
  const selector& chosen = named ? *named : everything_;

  if (!evaluation_.read_request(request.body))
    return fail(response, route, 400, "INVALID_CONTEXT", evaluation_.error());
  if (route.what == ofrep_route::kind::bulk) return answer_bulk(request, *flags, chosen, response);
  response.status = static_cast<unsigned>(evaluation_.evaluate(*flags, chosen, route.key, response.body));
}

void ofrep::answer_bulk(const http_request& request, const flag_set& flags, const selector& chosen,
                        http_response& response) {
  const std::optional<std::string> known = request.headers.get("If-None-Match");
  const auto not_modified = [&] {
    if (!known || !matches_none_match(*known, response.entity_tag)) return false;
    response.status = 304;
    response.body.clear();
    return true;
  };

  // A rule that reads the time makes an answer that neither revision nor context determine: only the body can tell.
  const bool by_body = evaluation_.reads_time(flags, chosen);
  if (!by_body) {
    response.entity_tag = make_entity_tag(flags.revision(), add_selector(evaluation_.context_hash(), chosen));
    if (not_modified()) return;
  }
  response.status = static_cast<unsigned>(evaluation_.evaluate_all(flags, chosen, response.body));
  if (by_body) {
    response.entity_tag = make_entity_tag(flags.revision(), hash_text(response.body));
    not_modified();
  }
}

}  // namespace flagserver
