// SPDX-License-Identifier: Apache-2.0
#include "rule_compiler.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "coercion.hpp"
#include "semver.hpp"

namespace flagserver {

namespace {

std::optional<operation> operation_named(std::string_view name) {
  static const std::map<std::string_view, operation> operations = {
#define FLAGSERVER_OPERATOR(name, text) {text, operation::name},
      FLAGSERVER_OPERATORS(FLAGSERVER_OPERATOR)
#undef FLAGSERVER_OPERATOR
  };
  const auto found = operations.find(name);
  if (found == operations.end()) return std::nullopt;
  return found->second == operation::if_alias ? operation::if_ : found->second;
}

/// The second argument of these is run once for each item, with the item as its data.
bool opens_scope(operation code) noexcept { return code >= operation::map && code <= operation::some; }

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

}  // namespace

rule_compiler::result rule_compiler::compile(const value& source) {
  reads_time_ = false;
  const rule root = expression(source);
  return {root, reads_time_};
}

rule rule_compiler::expression(const value& source) {
  if (source.is(kind::array)) return list(source);
  // only an object with one member is an operation; any other is a value
  if (source.is(kind::object) && source.size == 1) return operation_of(source.members[0]);
  if (source.is(kind::object)) check_value(source);
  rule node;
  node.constant = source;
  return node;
}

const rule* rule_compiler::compile_all(std::span<const value> sources, operation code) {
  rule* rules = memory_.make<rule>(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const unsigned scope = opens_scope(code) && i == 1 ? 1 : 0;
    scopes_ += scope;
    rules[i] = expression(sources[i]);
    scopes_ -= scope;
  }
  return rules;
}

rule rule_compiler::list(const value& source) {
  rule node;
  node.code = operation::list;
  node.size = source.size;
  node.arguments = compile_all({source.items, source.size}, node.code);
  const auto all = node.all();
  if (!std::all_of(all.begin(), all.end(), [](const rule& r) { return r.code == operation::constant; })) return node;
  node = {};
  node.constant = source;
  return node;
}

rule rule_compiler::unknown(const member& source, std::string message) {
  complain_(source.content, std::move(message));
  rule node;
  node.code = operation::unknown;
  node.constant = value::of(source.key);
  return node;
}

rule rule_compiler::operation_of(const member& source) {
  if (source.key == "$ref") return reference(source);
  const auto code = operation_named(source.key);
  if (!code)
    return unknown(source,
                   "unknown operator " + quoted(source.key) + ": the flag answers PARSE_ERROR where it is reached");
  rule node;
  node.code = *code;
  node.bare = !source.content.is(kind::array);
  const std::span<const value> sources =
      node.bare ? std::span(&source.content, 1) : std::span(source.content.items, source.content.size);
  node.size = static_cast<std::uint32_t>(sources.size());
  node.arguments = compile_all(sources, node.code);
  check(node, source.content);
  if (node.code == operation::var) finish_var(node);
  if (node.code == operation::in) finish_in(node);
  return node;
}

rule rule_compiler::reference(const member& source) {
  if (in_evaluator_) return unknown(source, "$ref inside $evaluators is not followed: write the rule out");
  const value* evaluator = nullptr;
  if (evaluators_ != nullptr && source.content.is(kind::string)) evaluator = evaluators_->find(source.content.string());
  if (evaluator == nullptr) {
    const std::string name = source.content.is(kind::string) ? quoted(source.content.string()) : "of that name";
    return unknown(
        source, "there is no evaluator " + name + " in $evaluators: the flag answers PARSE_ERROR where it is reached");
  }
  const std::string_view name = source.content.string();
  auto found = compiled_.find(name);
  if (found == compiled_.end()) {
    const unsigned scopes = std::exchange(scopes_, 0u);
    const bool reads_time = std::exchange(reads_time_, false);
    in_evaluator_ = true;
    const rule root = expression(*evaluator);
    in_evaluator_ = false;
    found = compiled_.emplace(name, result{root, reads_time_}).first;
    scopes_ = scopes;
    reads_time_ = reads_time;
  }
  if (scopes_ == 0) reads_time_ |= found->second.reads_time;
  return found->second.root;
}

void rule_compiler::finish_var(rule& node) {
  const bool has_key = node.size != 0;
  if (has_key && node.arguments[0].code != operation::constant) {
    reads_time_ |= scopes_ == 0;  // the key may turn out to be anything
    return;
  }
  std::string path;
  if (has_key && !node.arguments[0].constant.is_nothing()) append_text(node.arguments[0].constant, path);
  std::size_t count = 0;
  value* keys = nullptr;
  if (!path.empty()) {
    keys = memory_.make<value>(static_cast<std::size_t>(std::count(path.begin(), path.end(), '.')) + 1);
    std::string_view rest = memory_.copy(path);
    for (std::size_t dot = 0; dot != std::string_view::npos; rest.remove_prefix(std::min(dot + 1, rest.size()))) {
      dot = rest.find('.');
      keys[count++] = value::of(rest.substr(0, dot));
      if (dot == std::string_view::npos) break;
    }
  }
  node.code = operation::path;
  node.constant = value::list(keys, count);
  node.arguments += has_key ? 1 : 0;
  node.size = node.size > 1 ? 1 : 0;
  const bool whole = count == 0 || (count == 1 && keys[0].string() == "$flagd");
  const bool time = count > 1 && keys[0].string() == "$flagd" && keys[1].string() == "timestamp";
  reads_time_ |= scopes_ == 0 && (whole || time);
}

void rule_compiler::finish_in(rule& node) {
  if (node.size < 2 || node.arguments[1].code != operation::constant) return;
  const value& all = node.arguments[1].constant;
  constexpr std::uint32_t worth_sorting = 8;
  if (!all.is(kind::array) || all.size < worth_sorting) return;
  if (!std::all_of(all.begin(), all.end(), [](const value& v) { return v.is(kind::string); })) return;
  value* sorted = memory_.make<value>(all.size);
  std::copy(all.begin(), all.end(), sorted);
  std::sort(sorted, sorted + all.size, [](const value& a, const value& b) { return a.string() < b.string(); });
  node.code = operation::in_set;
  node.constant = value::list(sorted, all.size);
  node.size = 1;
}

/// A value that looks as if an operation had been meant.
void rule_compiler::check_value(const value& source) {
  for (const member* m = source.members; m != source.members + source.size; ++m) {
    if (m->key != "$ref" && !operation_named(m->key)) continue;
    return complain_(source, "an object of several members is a value: its " + quoted(m->key) + " is not run");
  }
}

/// Finds what can be seen to go wrong without running the rule.
void rule_compiler::check(const rule& node, const value& source) {
  const auto constant = [&](std::size_t i) -> const value* {
    return i < node.size && node.arguments[i].code == operation::constant ? &node.arguments[i].constant : nullptr;
  };
  const auto place = [&](std::size_t i) -> const value& { return node.bare ? source : source.items[i]; };
  const bool spread = node.bare && !constant(0);  // the arguments come from a computed array
  switch (node.code) {
    case operation::starts_with:
    case operation::ends_with:
      if (node.size != 2 && !spread) complain_(source, "this takes two strings, and gives null for anything else");
      return;
    case operation::sem_ver:
      if (spread) return;
      if (node.size != 3)
        return complain_(source, "sem_ver takes [version, operator, version], and gives null for anything else");
      for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
        const value* v = constant(i);
        if (v && v->is(kind::string) && !semantic_version::parse(v->string())) {
          complain_(place(i), quoted(v->string()) + " is no semantic version: sem_ver gives null");
        }
      }
      if (const value* v = constant(1); v && (!v->is(kind::string) || !compare_versions("1", v->string(), "1"))) {
        complain_(place(1), "sem_ver knows the operators = != < <= > >= ~ and ^, and gives null for others");
      }
      return;
    case operation::fractional:
      for (std::size_t i = 0; i < node.size; ++i) {
        const value* pair = constant(i);
        if (!pair || !pair->is(kind::array) || pair->size < 2) continue;
        const value& weight = pair->items[1];
        if (weight.is(kind::integer) && weight.integer < 0) complain_(weight, "a negative weight counts as 0");
        const bool usable = weight.is_nothing() || (weight.is(kind::integer) && weight.integer <= 0x7FFFFFFF);
        if (!usable) complain_(weight, "a weight is a whole number up to 2147483647: fractional gives null");
      }
      return;
    default: return;
  }
}

}  // namespace flagserver
