// SPDX-License-Identifier: Apache-2.0
#include "value.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flagserver {

namespace {
constexpr double two_to_63 = 9223372036854775808.0;
}

value value::of(std::uint64_t u) noexcept {
  if (u <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return of(static_cast<std::int64_t>(u));
  }
  value v = with(kind::natural);
  v.natural = u;
  return v;
}

value value::of(double d) noexcept {
  if (d >= -two_to_63 && d < two_to_63) {
    const auto i = static_cast<std::int64_t>(d);
    if (static_cast<double>(i) == d) return of(i);
  } else if (d < 2 * two_to_63 && d >= two_to_63) {
    return of(static_cast<std::uint64_t>(d));  // so large a double has no fraction
  }
  value v = with(kind::real);
  v.real = d;
  return v;
}

const value* value::find(std::string_view key) const noexcept {
  if (type != kind::object) return nullptr;
  constexpr std::uint32_t few = 12;  // comparing lengths in a row beats jumping about
  if (size <= few) {
    for (const member* m = members; m != members + size; ++m) {
      if (m->key == key) return &m->content;
    }
    return nullptr;
  }
  const member* end_of_members = members + size;
  const member* m =
      std::lower_bound(members, end_of_members, key, [](const member& a, std::string_view b) { return a.key < b; });
  return m != end_of_members && m->key == key ? &m->content : nullptr;
}

}  // namespace flagserver
