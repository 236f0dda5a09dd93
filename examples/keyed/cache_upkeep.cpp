// The message of the day: a cache of one value, whose holder is a pointer under a mutex.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/cache_upkeep.hpp>

#include <cstdio>
#include <string>

namespace {

using namespace std::chrono_literals;
using acqrel::removal;

std::string ask_the_boss() { return "Tuesday"; }

class motd final : acqrel::cache_upkeep {
 public:
  motd() : cache_upkeep({.time_to_live = 24h}) {}
  ~motd() { wait_for_loads(); }

  std::string get() {
    for (entry_ptr answer;;) {
      const entry_ptr there = find();
      if (answers(there, &always, answer)) return text_of(answer);
      const auto mine = std::make_shared<message>(there);  // a load, in the place of what is there
      if (place(there, mine)) return text_of(take_on(mine, always));
    }
  }

 private:
  struct message : entry {
    explicit message(const entry_ptr& there) : entry(there) {}
    message(std::string words, const dates& dates) : entry(true, nullptr, 0, 1, dates), text(std::move(words)) {}
    message(std::exception_ptr why, const dates& dates) : entry(false, std::move(why), 0, 1, dates) {}
    std::string text;
  };
  static std::string text_of(const entry_ptr& one) {
    if (one->thrown != nullptr) std::rethrow_exception(one->thrown);
    return static_cast<const message&>(*one).text;
  }
  entry_ptr find() {
    const std::lock_guard lock(mutex_);
    return there_;
  }
  bool place(const entry_ptr& there, entry_ptr next) {
    const std::lock_guard lock(mutex_);
    if (there_ != there) return false;
    there_.swap(next);
    return true;
  }

  bool is_there(const entry_ptr& one) override { return find() == one; }
  bool replace(const entry_ptr& one, const entry_ptr& by) override { return place(one, by); }
  bool take_out(const entry_ptr& one) noexcept override { return place(one, nullptr); }
  entry_ptr load(const entry_ptr&) override { return std::make_shared<message>(ask_the_boss(), dates_of_value()); }
  entry_ptr make_failed(const entry_ptr&, std::exception_ptr thrown) override {
    return std::make_shared<message>(std::move(thrown), dates_of_failure());
  }
  void tell(const entry_ptr&, removal) noexcept override {}

  static constexpr acqrel::patience always{};
  std::mutex mutex_;
  entry_ptr there_;
};

}  // namespace

int main() {
  motd today;
  std::puts(today.get().c_str());
  std::puts(today.get().c_str());
}
