// SPDX-License-Identifier: Apache-2.0
#include "evaluation.hpp"

#include <algorithm>
#include <ctime>

#include "flag.hpp"
#include "hash.hpp"
#include "machine.hpp"
#include "possible_results.hpp"

namespace flagserver {

namespace {

// What one request may take: a body is bounded by the server, a rule's results by nothing else.
constexpr std::size_t max_context_memory = std::size_t{256} << 20;
constexpr std::size_t max_scratch_memory = std::size_t{64} << 20;
constexpr std::size_t kept_memory = std::size_t{256} << 10;  // the rest goes back after an unusually large request

constexpr std::string_view flagd_key = "$flagd";

void add_to(content_hash& hash, const value& v) noexcept {
  hash.add(static_cast<std::uint64_t>(v.type));
  switch (v.type) {
    case kind::boolean: hash.add(std::uint64_t{v.boolean}); return;
    case kind::string: hash.add(v.string()); return;
    case kind::integer:
    case kind::natural:
    case kind::real: hash.add(v.natural); return;  // the bits, whichever they are: equal numbers have equal kinds
    case kind::array:
      hash.add(std::uint64_t{v.size});
      for (const value& item : v) add_to(hash, item);
      return;
    case kind::object:
      hash.add(std::uint64_t{v.size});
      for (const member* m = v.members; m != v.members + v.size; ++m) {
        hash.add(m->key);
        add_to(hash, m->content);
      }
      return;
    default: return;
  }
}

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

/// Enough of a text to recognise it by, in whole characters.
std::string_view beginning(std::string_view text) noexcept {
  constexpr std::size_t enough = 80;
  if (text.size() <= enough) return text;
  std::size_t end = enough;
  while (end != 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

evaluation::evaluation() : memory_(max_context_memory), scratch_(max_scratch_memory) {
  flagd_[0].key = "flagKey";
  flagd_[1].key = "timestamp";
  adopt_context(nullptr);
}

bool evaluation::read_request(std::string_view body) {
  memory_.trim(kept_memory);
  scratch_.trim(kept_memory);
  error_.clear();
  value request;
  const bool is_blank = body.find_first_not_of(" \t\r\n") == std::string_view::npos;
  const bool is_read = is_blank || reader_.read(body, memory_, max_request_depth, request);
  if (!is_read) {
    const place at = reader_.error_at();
    error_ = "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " + reader_.error();
    memory_.reset();
  }
  try {
    adopt_context(is_read ? request.find("context") : nullptr);
  } catch (const limit_exceeded& limit) {
    error_ = limit.what;
    return false;
  }
  return is_read;
}

/// Puts $flagd among the context's members; what the client sent under that name is dropped.
void evaluation::adopt_context(const value* context) {
  const bool usable = context != nullptr && context->is(kind::object);
  const member* from = usable ? context->members : nullptr;
  const std::size_t size = usable ? context->size : 0;
  client_context_ = value::dictionary(nullptr, 0);  // in case memory runs out below
  auto* clean = memory_.make<member>(size);
  auto* full = memory_.make<member>(size + 1);
  const member* const end = std::copy_if(from, from + size, clean, [](const member& m) { return m.key != flagd_key; });
  const auto count = static_cast<std::size_t>(end - clean);
  const member* const after = std::find_if(clean, clean + count, [](const member& m) { return m.key > flagd_key; });
  member* to = std::copy(static_cast<const member*>(clean), after, full);
  *to++ = {flagd_key, value::dictionary(flagd_, 2)};
  std::copy(after, end, to);
  client_context_ = value::dictionary(clean, count);
  context_ = value::dictionary(full, count + 1);
}

std::uint64_t evaluation::context_hash() const noexcept {
  content_hash hash;
  add_to(hash, client_context_);
  return hash.result();
}

bool evaluation::reads_time(const flag_set& flags, const selector& wanted) const { return flags.reads_time(wanted); }

void evaluation::set_time() { flagd_[1].content = value::of(static_cast<std::int64_t>(std::time(nullptr))); }

int evaluation::evaluate(const flag_set& flags, const selector& wanted, std::string_view key, std::string& out) {
  const flag* found = flags.find(key, wanted);
  if (found == nullptr) {
    out += "{\"key\":";
    write_json_string(key, out);
    out += ",\"errorCode\":\"FLAG_NOT_FOUND\",\"errorDetails\":\"there is no flag of this key";
    if (!wanted.selects_all()) out += " that the selector selects";
    out += "\"}";
    return 404;
  }
  if (found->reads_time) set_time();
  return answer(flags, *found, out);
}

int evaluation::evaluate_all(const flag_set& flags, const selector& wanted, std::string& out) {
  set_time();  // one time for all
  out += "{\"flags\":[";
  bool first = true;
  for (const flag& each : flags.flags()) {
    if (!flags.selects(wanted, each)) continue;
    if (!first) out += ',';
    first = false;
    answer(flags, each, out);
  }
  out += "],\"metadata\":{";
  if (wanted.flag_set_id()) {
    out += "\"flagSetId\":";
    write_json_string(*wanted.flag_set_id(), out);
  }
  if (wanted.source()) {
    out += wanted.flag_set_id() ? ",\"source\":" : "\"source\":";
    write_json_string(*wanted.source(), out);
  }
  out += "}}";
  return 200;
}

int evaluation::answer(const flag_set& flags, const flag& asked, std::string& out) {
  const auto succeed = [&](std::string_view reason, std::string_view variant) {
    out.append(asked.head).append(",\"reason\":\"").append(reason).append("\"").append(variant).append(asked.tail);
    return 200;
  };
  const bool has_default = asked.default_variant != flag::none;
  const std::string_view otherwise = has_default ? asked.variants[asked.default_variant].answer : std::string_view{};
  if (!asked.enabled) return succeed("DISABLED", {});
  if (!asked.targeted) return succeed(has_default ? "STATIC" : "DEFAULT", otherwise);

  flagd_[0].content = value::of(asked.key);
  scratch_.reset();
  machine run(scratch_, buffer_, flags.fractional(), asked.key);
  try {
    const value result = run.run(asked.targeting, context_);
    if (run.has_failed()) return refuse(asked, "PARSE_ERROR", "the rule cannot be evaluated: " + run.failure(), out);
    if (result.is_nothing()) return succeed("DEFAULT", otherwise);
    const std::string_view name = variant_name(result, buffer_);
    if (const flag::variant* variant = asked.find_variant(name)) return succeed("TARGETING_MATCH", variant->answer);
    return refuse(asked, "GENERAL",
                  "the rule gave " + quoted(beginning(name)) + ", which is none of the flag's variants", out);
  } catch (const limit_exceeded& limit) {
    return refuse(asked, "GENERAL", std::string("the rule was stopped: ") + limit.what, out);
  }
}

int evaluation::refuse(const flag& asked, std::string_view code, std::string_view details, std::string& out) {
  out.append(asked.head).append(",\"errorCode\":\"").append(code).append("\",\"errorDetails\":");
  write_json_string(details, out);
  out.append(asked.tail);
  return 400;
}

}  // namespace flagserver
