// SPDX-License-Identifier: Apache-2.0
#include "flag_set_builder.hpp"

#include <algorithm>
#include <cstdio>

#include "hash.hpp"
#include "json_text.hpp"
#include "possible_results.hpp"
#include "yaml_text.hpp"

namespace flagserver {

namespace {

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

std::string_view name_of(kind type) noexcept {
  switch (type) {
    case kind::missing:
    case kind::null: return "null";
    case kind::boolean: return "a boolean";
    case kind::string: return "a string";
    case kind::array: return "an array";
    case kind::object: return "an object";
    default: return "a number";
  }
}

bool same_type(const value& a, const value& b) noexcept { return a.type == b.type || (a.is_number() && b.is_number()); }

std::string hex(std::uint64_t bits) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(bits));
  return text;
}

}  // namespace

parse_result parse_flags(std::string_view text, text_format format, fractional_version version,
                         std::string_view source) {
  return flag_set_builder(version, source).build(text, format);
}

flag_set_builder::flag_set_builder(fractional_version version, std::string_view source)
    : made_(std::make_unique<flag_set::content>()) {
  made_->source = source;
  made_->fractional = version;
}

parse_result flag_set_builder::build(std::string_view text, text_format format) {
  try {
    if (read(text, format)) add_file();
  } catch (const limit_exceeded& limit) {
    error({}, limit.what);
  }
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(), [](const diagnostic& a, const diagnostic& b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  });
  const bool failed = std::any_of(diagnostics_.begin(), diagnostics_.end(),
                                  [](const diagnostic& d) { return d.level == diagnostic::severity::error; });
  if (failed) return {nullptr, std::move(diagnostics_)};
  made_->revision = hex(content_hash()
                            .add(text)
                            .add(static_cast<std::uint64_t>(format))
                            .add(static_cast<std::uint64_t>(made_->fractional))
                            .result());
  return {std::unique_ptr<flag_set>(new flag_set(std::move(made_))), std::move(diagnostics_)};
}

void flag_set_builder::complain(diagnostic::severity level, place at, std::string message) {
  diagnostics_.push_back({level, std::move(message), at.line, at.column});
}

bool flag_set_builder::read(std::string_view text, text_format format) {
  if (format == text_format::yaml) {
    const text_error failure = read_yaml(text, made_->memory, max_file_depth, root_, places_);
    if (!failure.message.empty()) error(failure.at, failure.message);
    return failure.message.empty();
  }
  json_reader reader;
  if (reader.read(text, made_->memory, max_file_depth, root_, &places_)) return true;
  error(reader.error_at(), reader.error());
  return false;
}

void flag_set_builder::add_file() {
  for (const auto& [key, at] : places_.repeated())
    warn(at, "the key " + quoted(key) + " is given again: the last one counts");
  if (!root_.is(kind::object)) {
    return error(where(root_), "a flag file is an object with `flags`, this is " + std::string(name_of(root_.type)));
  }
  check_fields(root_, {"flags", "$evaluators", "metadata", "$schema"}, "a flag file");
  const value* metadata = root_.find("metadata");
  if (check_metadata(metadata)) metadata_ = metadata;
  const value* evaluators = root_.find("$evaluators");
  check_evaluators(evaluators);
  if (evaluators != nullptr && !evaluators->is(kind::object)) evaluators = nullptr;
  compiler_.emplace(made_->memory, evaluators,
                    [this](const value& at, std::string message) { warn(where(at), std::move(message)); });
  const value* flags = root_.find("flags");
  if (flags == nullptr) return error(where(root_), "there is no `flags`: a flag file needs it, be it empty");
  add_flags(*flags);
  order_flags();
}

void flag_set_builder::check_fields(const value& object, std::initializer_list<std::string_view> known,
                                    std::string_view what) {
  for (const member* m = object.members; m != object.members + object.size; ++m) {
    if (std::find(known.begin(), known.end(), m->key) == known.end()) {
      warn(places_.of_key(*m), std::string(what) + " has no field " + quoted(m->key) + ": it is ignored");
    }
  }
}

bool flag_set_builder::check_metadata(const value* metadata) {
  if (metadata == nullptr) return false;
  if (!metadata->is(kind::object)) {
    error(where(*metadata), "`metadata` is an object, this is " + std::string(name_of(metadata->type)));
    return false;
  }
  for (const member* m = metadata->members; m != metadata->members + metadata->size; ++m) {
    const value& v = m->content;
    if (m->key == "flagSetId" && !v.is(kind::string)) {
      error(where(v), "`flagSetId` is a string, this is " + std::string(name_of(v.type)));
    } else if (!v.is(kind::boolean) && !v.is(kind::string) && !v.is_number()) {
      error(where(v),
            "metadata holds booleans, strings and numbers, " + quoted(m->key) + " is " + std::string(name_of(v.type)));
    }
  }
  return true;
}

void flag_set_builder::check_evaluators(const value* evaluators) {
  if (evaluators == nullptr) return;
  if (!evaluators->is(kind::object)) {
    return error(where(*evaluators),
                 "`$evaluators` is an object of named rules, this is " + std::string(name_of(evaluators->type)));
  }
  for (const member* m = evaluators->members; m != evaluators->members + evaluators->size; ++m) {
    if (m->content.is(kind::object) && m->content.size != 0) continue;
    error(where(m->content), "the evaluator " + quoted(m->key) + " must be a rule, an object with an operator");
  }
}

void flag_set_builder::add_flags(const value& flags) {
  if (flags.is(kind::object)) {
    for (const member* m = flags.members; m != flags.members + flags.size; ++m) {
      add_flag(m->key, places_.of_key(*m), m->content, false);
    }
  } else if (flags.is(kind::array)) {
    for (const value& definition : flags) {
      const value* key = definition.find("key");
      if (key != nullptr && key->is(kind::string) && key->size != 0) {
        add_flag(key->string(), where(*key), definition, true);
      } else {
        error(where(key ? *key : definition), "a flag in an array needs a `key`, a string that is not empty");
      }
    }
  } else {
    error(where(flags), "`flags` is an object or an array, this is " + std::string(name_of(flags.type)));
  }
}

void flag_set_builder::add_flag(std::string_view key, place at, const value& definition, bool in_array) {
  const std::string name = "flag " + quoted(key);
  if (!definition.is(kind::object)) {
    return error(where(definition), name + " must be an object, this is " + std::string(name_of(definition.type)));
  }
  if (key.empty()) return error(at, "a flag needs a key that is not empty");
  if (in_array)
    check_fields(definition, {"key", "state", "variants", "defaultVariant", "targeting", "metadata"}, name);
  else
    check_fields(definition, {"state", "variants", "defaultVariant", "targeting", "metadata"}, name);

  flag made;
  made.key = key;
  made.order = static_cast<std::uint32_t>(flag_places_.size());
  flag_places_.push_back(at);
  const value* state = definition.find("state");
  if (state == nullptr)
    error(at, name + " has no `state`: ENABLED or DISABLED");
  else if (state->is(kind::string) && state->string() == "DISABLED")
    made.enabled = false;
  else if (!state->is(kind::string) || state->string() != "ENABLED")
    error(where(*state), "`state` is \"ENABLED\" or \"DISABLED\"");
  add_variants(made, at, definition.find("variants"));
  add_default(made, definition.find("defaultVariant"));
  add_targeting(made, definition.find("targeting"));
  add_texts(made, definition.find("metadata"));
  made_->flags.push_back(made);
}

void flag_set_builder::add_variants(flag& made, place at, const value* variants) {
  const std::string name = "flag " + quoted(made.key);
  if (variants == nullptr) return error(at, name + " has no `variants`");
  if (!variants->is(kind::object)) {
    return error(where(*variants),
                 "`variants` is an object of named values, this is " + std::string(name_of(variants->type)));
  }
  if (variants->size == 0) return error(where(*variants), name + " needs at least one variant");
  auto* list = made_->memory.make<flag::variant>(variants->size);
  // the first in the file decides what the type is
  const member* first =
      std::min_element(variants->members, variants->members + variants->size, [&](const member& a, const member& b) {
        const place x = places_.of_key(a), y = places_.of_key(b);
        return x.line != y.line ? x.line < y.line : x.column < y.column;
      });
  for (std::uint32_t i = 0; i < variants->size; ++i) {
    const member& each = variants->members[i];
    const value& v = each.content;
    if (v.is(kind::null) || v.is(kind::array)) {
      error(where(v), "variant " + quoted(each.key) + " is " + std::string(name_of(v.type)) +
                          ": a variant is a boolean, a string, a number or an object");
    } else if (!same_type(first->content, v)) {
      error(where(v), "variant " + quoted(each.key) + " is " + std::string(name_of(v.type)) + ", but " +
                          quoted(first->key) + " is " + std::string(name_of(first->content.type)) +
                          ": all variants of a flag have one type");
    }
    std::string answer = ",\"value\":";
    write_json(v, answer);
    answer += ",\"variant\":";
    write_json_string(each.key, answer);
    list[i] = {each.key, made_->memory.copy(answer)};
  }
  made.variants = {list, variants->size};
}

void flag_set_builder::add_default(flag& made, const value* named) {
  if (named == nullptr || named->is(kind::null)) return;
  if (!named->is(kind::string)) {
    return error(where(*named), "`defaultVariant` is a string or null, this is " + std::string(name_of(named->type)));
  }
  const flag::variant* found = made.find_variant(named->string());
  if (found != nullptr)
    made.default_variant = static_cast<std::uint32_t>(found - made.variants.data());
  else if (named->size == 0)
    warn(where(*named), "an empty `defaultVariant` counts as none");
  else
    error(where(*named),
          "`defaultVariant` " + quoted(named->string()) + " is not among the variants of flag " + quoted(made.key));
}

void flag_set_builder::add_targeting(flag& made, const value* targeting) {
  if (targeting == nullptr || (targeting->is(kind::object) && targeting->size == 0)) return;
  if (!targeting->is(kind::object) && !targeting->is(kind::null)) {
    return error(where(*targeting),
                 "`targeting` is a rule, an object with an operator; this is " + std::string(name_of(targeting->type)));
  }
  const auto compiled = compiler_->compile(*targeting);
  made.targeting = compiled.root;
  made.reads_time = compiled.reads_time;
  made.targeted = true;
  for (const std::string& result : results_without_variant(made)) {
    warn(where(*targeting), "the rule of flag " + quoted(made.key) + " can give " + quoted(result) +
                                ", which is not among its variants: that answers GENERAL");
  }
}

/// Writes out what an answer about this flag begins and ends with. The flag's own metadata wins over the file's.
void flag_set_builder::add_texts(flag& made, const value* own) {
  if (!check_metadata(own)) own = nullptr;
  std::vector<loose_entry> entries;
  std::uint32_t order = 0;
  for (const value* metadata : {metadata_, own}) {
    if (metadata == nullptr) continue;
    for (const member* m = metadata->members; m != metadata->members + metadata->size; ++m)
      entries.push_back({*m, order++, {}, {}});
  }
  const value merged = make_object(entries, made_->memory, nullptr);
  if (const value* id = merged.find("flagSetId"); id && id->is(kind::string)) made.set_id = id->string();

  std::string text = "{\"key\":";
  write_json_string(made.key, text);
  made.head = made_->memory.copy(text);
  text.clear();
  if (merged.size != 0) {
    text = ",\"metadata\":";
    write_json(merged, text);
  }
  made.tail = made_->memory.copy(text + "}");
}

void flag_set_builder::order_flags() {
  auto& flags = made_->flags;
  std::sort(flags.begin(), flags.end(), [](const flag& a, const flag& b) {
    if (const int order = a.set_id.compare(b.set_id)) return order < 0;
    if (const int order = a.key.compare(b.key)) return order < 0;
    return a.order < b.order;
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const bool given_again =
        i + 1 < flags.size() && flags[i + 1].set_id == flags[i].set_id && flags[i + 1].key == flags[i].key;
    if (given_again)
      warn(flag_places_[flags[i + 1].order],
           "the flag " + quoted(flags[i].key) + " is given again: the last one counts");
    else
      flags[kept++] = flags[i];
  }
  flags.resize(kept);
  made_->index.reserve(flags.size());
  for (std::uint32_t i = 0; i < flags.size(); ++i) {
    if (flags[i].reads_time) made_->timed.push_back(i);
    const auto [entry, is_new] = made_->index.try_emplace(flags[i].key, i);
    if (is_new) continue;
    // a list from the last in the file to the first
    std::uint32_t* link = &entry->second;
    while (*link != flag::none && flags[*link].order > flags[i].order) link = &flags[*link].next;
    flags[i].next = *link;
    *link = i;
  }
}

}  // namespace flagserver
