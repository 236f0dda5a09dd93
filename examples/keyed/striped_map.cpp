// Accounts that many threads pay into: a payment reads, changes, adds or erases one, in one step.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/striped_map.hpp>

#include <cstdio>
#include <string>
#include <thread>

namespace {

struct account {
  long balance = 0;
};

acqrel::striped_map<std::string, account> accounts;

void pay(std::string_view name, long amount) {
  accounts.with(name, [&](std::optional<account>& mine) {  // reads, changes, adds or erases: nobody comes between
    if (!mine) mine.emplace();
    mine->balance += amount;
    if (mine->balance == 0) mine.reset();
  });
}

void report(const account& now) { std::printf("%ld\n", now.balance); }

void show(std::string_view name) {
  if (const auto now = accounts.get(name)) report(*now);  // a copy; a string_view will do
}

}  // namespace

int main() {
  std::thread other([] {
    for (int i = 0; i != 1000; ++i) pay("ada", 1), pay("alan", -1);
  });
  for (int i = 0; i != 1000; ++i) pay("ada", 1), pay("alan", 1);
  other.join();
  show("ada");
  show("alan");  // nothing: it came to 0, and is gone
}
