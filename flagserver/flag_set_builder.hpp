// SPDX-License-Identifier: Apache-2.0
// flagserver/flag_set_builder.hpp - from a flag file's text to a flag_set: reading, checking, compiling.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostic.hpp"
#include "flag.hpp"
#include "flag_set_content.hpp"
#include "rule_compiler.hpp"
#include "source_map.hpp"
#include "value.hpp"

namespace flagserver {

class flag_set_builder {
 public:
  flag_set_builder(fractional_version, std::string_view source);
  parse_result build(std::string_view text, text_format);

 private:
  bool read(std::string_view text, text_format);
  void add_file();
  void add_flags(const value& flags);
  void add_flag(std::string_view key, place at, const value& definition, bool in_array);
  void add_variants(flag& made, place at, const value* variants);
  void add_default(flag& made, const value* named);
  void add_targeting(flag& made, const value* targeting);
  void add_texts(flag& made, const value* metadata);
  bool check_metadata(const value* metadata);
  void check_evaluators(const value* evaluators);
  void check_fields(const value& object, std::initializer_list<std::string_view> known, std::string_view what);
  void order_flags();

  void complain(diagnostic::severity, place, std::string message);
  void error(place at, std::string message) { complain(diagnostic::severity::error, at, std::move(message)); }
  void warn(place at, std::string message) { complain(diagnostic::severity::warning, at, std::move(message)); }
  place where(const value& v) const { return places_.of_value(v); }

  std::unique_ptr<flag_set::content> made_;
  source_map places_;
  value root_;
  const value* metadata_ = nullptr;  // of the file, if it is sound
  std::optional<rule_compiler> compiler_;
  std::vector<place> flag_places_;  // by flag::order
  std::vector<diagnostic> diagnostics_;
};

}  // namespace flagserver
