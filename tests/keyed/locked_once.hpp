// The slow, obvious keyed_once that the real one is held to, and measured against: a mutex, a standard map, a once_flag a key.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

template <class K, class V>
class locked_once {
 public:
  template <class Make>
  const V& get(const K& key, Make make) {
    slot* mine = nullptr;
    {
      const std::lock_guard lock(mutex_);
      auto& there = map_[key];
      if (there == nullptr) there = std::make_unique<slot>();
      mine = there.get();
    }
    std::call_once(mine->once, [&] { mine->value.emplace(make(key)); });
    return *mine->value;
  }
  /// Nobody uses its value.
  bool erase(const K& key) {
    const std::lock_guard lock(mutex_);
    const auto found = map_.find(key);
    if (found == map_.end()) return false;
    const bool had = found->second->value.has_value();
    map_.erase(found);
    return had;
  }
  const V* find(const K& key) {
    const std::lock_guard lock(mutex_);
    const auto found = map_.find(key);
    return found != map_.end() && found->second->value ? &*found->second->value : nullptr;
  }

 private:
  struct slot {
    std::once_flag once;
    std::optional<V> value;
  };
  std::mutex mutex_;
  std::unordered_map<K, std::unique_ptr<slot>> map_;
};
