// docs/patterns/stampede-free-cache.md: a thousand callers miss at one time, and the database is asked once.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/loading_cache.hpp>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct profile {
  std::string name;
};
std::atomic<int> queries{0};
profile query(const std::string& user) {
  ++queries;
  return {"the profile of " + user};
}
void write(const std::string&, const profile&) {}

}  // namespace

// [stampede-free]
class profiles {
 public:
  std::string name_of(const std::string& user) {
    const auto found = cache_.get(user);
    return found->name;
  }
  void change(const std::string& user, const profile& to) {
    write(user, to);          // first the database,
    cache_.invalidate(user);  // then the cache: what is being loaded now may be old, and is not kept
  }

 private:
  acqrel::loading_cache<std::string, profile> cache_{
      query,
      {.most = 100'000, .time_to_live = 10min, .refresh_after = 9min, .stale_on_error = 1h, .remember_failures = 1s}};
};
// [/stampede-free]

namespace wrong {

// [stampede-free-wrong]
class profiles {
 public:
  std::string name_of(const std::string& user) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = data_.find(user); found != data_.end()) return found->second.name;
    }
    const profile got = query(user);
    const std::lock_guard lock(mutex_);
    data_[user] = got;
    return got.name;
  }
  void change(const std::string& user, const profile& to) {
    write(user, to);
    const std::lock_guard lock(mutex_);
    data_.erase(user);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, profile> data_;
};
// [/stampede-free-wrong]

}  // namespace wrong

template <class Profiles>
int queries_of_many() {
  Profiles all;
  queries = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i != 4; ++i) callers.emplace_back([&] { all.name_of("ada"); });
  for (auto& caller : callers) caller.join();
  all.change("ada", {"Ada"});
  return queries;
}

int main() {
  std::printf("%d query\n", queries_of_many<profiles>());
  std::printf("1 to 4 queries: %d\n", queries_of_many<wrong::profiles>());
}
