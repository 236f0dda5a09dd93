// Who is not there need not be looked for: a set in front of a slow lookup, kept over a restart.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/bloom_set.hpp>

#include <cstdio>
#include <optional>

namespace {

acqrel::bloom_set seen(1'000'000, 0.01);  // of a million keys, one answer in a hundred may be wrong

void sign_up(std::string_view user) {
  seen.add(user);  // any thread; an integer, or a string
}

std::optional<int> ask_the_database(std::string_view user) { return static_cast<int>(user.size()); }

std::optional<int> look_up(std::string_view user) {
  constexpr auto unknown = std::nullopt;
  if (!seen.contains(user)) return unknown;  // for sure: nobody asks the database
  return ask_the_database(user);
}

}  // namespace

int main() {
  sign_up("ada");
  std::printf("ada: %s, bob: %s\n", look_up("ada") ? "asked for" : "unknown", look_up("bob") ? "asked for" : "unknown");
  const std::vector<std::byte> kept = seen.to_bytes();
  const acqrel::bloom_set again(kept);  // in any process, on any machine
  return again.contains("ada") ? 0 : 1;
}
