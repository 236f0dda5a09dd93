// SPDX-License-Identifier: Apache-2.0
// flagserver/machine.hpp - runs compiled rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "arena.hpp"
#include "fractional.hpp"
#include "rule.hpp"
#include "value.hpp"

namespace flagserver {

/// One run of one rule. What it computes lies in `scratch` and ends with its next reset.
class machine {
 public:
  /// What one run may cost, so that no context can turn an innocent rule into an endless one.
  static constexpr std::uint32_t max_steps = 5'000'000;

  machine(arena& scratch, std::string& buffer, fractional_version version, std::string_view flag_key) noexcept
      : scratch_(scratch), buffer_(buffer), version_(version), flag_key_(flag_key) {}

  /// The rule's value for `data`. Throws limit_exceeded. If has_failed() afterwards, the value means nothing.
  value run(const rule&, const value& data);

  /// An operator was reached that cannot be evaluated; failure() says which, and why not.
  bool has_failed() const noexcept { return !failure_.empty(); }
  std::string failure() const { return std::string(failure_) + " `" + std::string(failed_operator_) + "`"; }

 private:
  value argument(const rule& node, std::size_t i, const value& data) {
    return i < node.size ? run(node.arguments[i], data) : value::missing();
  }
  std::span<const value> arguments(const rule& node, const value& data);
  std::string_view text_of(const value&);

  value run_list(const rule&, const value& data);
  value run_if(const rule&, const value& data);
  value run_logic(const rule&, const value& data);
  value run_comparison(const rule&, const value& data);
  value run_arithmetic(const rule&, const value& data);
  value run_extreme(const rule&, const value& data);
  value run_path(const rule&, const value& data);
  value run_var(const rule&, const value& data);
  value run_missing(const rule&, const value& data);
  value run_missing_some(const rule&, const value& data);
  value missing_of(std::span<const value> keys, const value& data);
  value run_cat(const rule&, const value& data);
  value run_substr(const rule&, const value& data);
  value run_in(const rule&, const value& data);
  value run_in_set(const rule&, const value& data);
  value run_merge(const rule&, const value& data);
  value run_map(const rule&, const value& data);
  value run_filter(const rule&, const value& data);
  value run_reduce(const rule&, const value& data);
  value run_quantifier(const rule&, const value& data);
  value run_fractional(const rule&, const value& data);
  value run_affix(const rule&, const value& data);
  value run_sem_ver(const rule&, const value& data);
  value fail(std::string_view failure, std::string_view name) noexcept;

  arena& scratch_;
  std::string& buffer_;  // never holds anything while a rule is run
  fractional_version version_;
  std::string_view flag_key_;
  std::string_view failure_, failed_operator_;  // the first
  std::uint32_t steps_ = 0;
};

}  // namespace flagserver
