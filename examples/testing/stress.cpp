// An account that several threads pay into, stressed: here in a program of its own; with GoogleTest it is
// STRESS(account, loses_no_deposit) { ... }, as in docs/tutorial/stress.md.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/stress.hpp>

#include <cstdio>
#include <mutex>

namespace {

class account {
 public:
  void deposit(int amount) {
    const std::lock_guard lock(mutex_);
    const int before = balance_;
    acqrel::testing::stress_point();  // nothing, but while a stress runs
    balance_ = before + amount;
  }
  int balance() const { return balance_; }

 private:
  std::mutex mutex_;
  int balance_ = 0;
};

}  // namespace

int main() {
  const auto result = acqrel::testing::stress({.name = "account", .threads = {2, 3}}, [](auto& run) {
    account mine;
    run.together([&](unsigned) { mine.deposit(1); });  // in each of its threads, begun at one moment
    run.expect(mine.balance() == static_cast<int>(run.threads()), "the balance");
  });
  if (!result.passed()) std::puts(result.trouble.c_str());  // what went wrong, and how to run it again
  return result.passed() ? 0 : 1;
}
