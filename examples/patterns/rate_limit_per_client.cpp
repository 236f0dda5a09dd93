// docs/patterns/rate-limit-per-client.md: each client has a bucket, and who is idle has none.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/token_bucket.hpp>
#include <acqrel/publish/synchronized.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <unordered_map>

namespace {
using namespace std::chrono_literals;
}  // namespace

// [limiter]
class limiter {
 public:
  // 100 a second, 20 at once, for each client.
  bool allows(const std::string& client, acqrel::steady_deadline now) {
    return buckets_.with_lock([&](auto& buckets) {
      if (buckets.size() >= sweep_at_) {
        std::erase_if(buckets, [now](const auto& one) { return one.second.tokens(now) == one.second.capacity(); });
        sweep_at_ = std::max<std::size_t>(1000, 2 * buckets.size());
      }
      return buckets.try_emplace(client, 100, 1s, 20).first->second.try_take(1, now);
    });
  }

 private:
  std::size_t sweep_at_ = 1000;  // guarded by buckets_
  acqrel::synchronized<std::unordered_map<std::string, acqrel::token_bucket>> buckets_;
};
// [/limiter]

namespace wrong {

// [limiter-wrong]
class limiter {
 public:
  bool allows(const std::string& client) {
    const auto second = std::chrono::system_clock::now().time_since_epoch() / 1s;
    return buckets_.with_lock([&](auto& buckets) {
      auto& [last, used] = buckets[client];
      if (last != second) last = second, used = 0;
      return ++used <= 100;
    });
  }

 private:
  acqrel::synchronized<std::map<std::string, std::pair<long, int>>> buckets_;
};
// [/limiter-wrong]

}  // namespace wrong

int main() {
  limiter each;
  const auto now = std::chrono::steady_clock::now();
  int allowed = 0;
  for (int i = 0; i != 100; ++i) allowed += each.allows("mallory", now);
  const bool others = each.allows("alice", now) && each.allows("mallory", now + 10ms);
  // A sweep forgets who is idle, and nobody who is not.
  for (int i = 0; i != 2000; ++i) (void)each.allows("client " + std::to_string(i), now + 10ms);
  const bool still = !each.allows("mallory", now + 10ms);
  std::printf("%d of 100\n", allowed);
  return allowed == 20 && others && still ? 0 : 1;
}
