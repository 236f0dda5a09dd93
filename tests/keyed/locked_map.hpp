// The slow, obvious map that striped_map is held to, and measured against: one mutex around a standard one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

template <class K, class V, class Hash = std::hash<K>, class Mutex = std::mutex,
          class ReadLock = std::lock_guard<Mutex>>
class locked_map {
 public:
  std::optional<V> get(const K& key) const {
    const ReadLock lock(mutex_);
    const auto found = map_.find(key);
    return found != map_.end() ? std::optional<V>(found->second) : std::nullopt;
  }
  bool insert(K key, V value) {
    const std::lock_guard lock(mutex_);
    return map_.emplace(std::move(key), std::move(value)).second;
  }
  bool insert_or_assign(K key, V value) {
    const std::lock_guard lock(mutex_);
    return map_.insert_or_assign(std::move(key), std::move(value)).second;
  }
  bool compare_and_assign(const K& key, const V& expected, V desired) {
    const std::lock_guard lock(mutex_);
    const auto found = map_.find(key);
    if (found == map_.end() || found->second != expected) return false;
    found->second = std::move(desired);
    return true;
  }
  bool erase(const K& key) {
    const std::lock_guard lock(mutex_);
    return map_.erase(key) == 1;
  }
  std::optional<V> take(const K& key) {
    const std::lock_guard lock(mutex_);
    auto gone = map_.extract(key);
    return gone ? std::optional<V>(std::move(gone.mapped())) : std::nullopt;
  }
  template <class F>
  auto with(const K& key, F f) {
    const std::lock_guard lock(mutex_);
    const auto found = map_.find(key);
    std::optional<V> value = found != map_.end() ? std::optional<V>(found->second) : std::nullopt;
    auto result = f(value);
    if (value)
      map_.insert_or_assign(key, *value);
    else
      map_.erase(key);
    return result;
  }
  template <class F>
  void for_each(F f) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, value] : map_) f(key, value);
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return map_.size();
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    map_.clear();
  }

 private:
  mutable Mutex mutex_{};
  std::unordered_map<K, V, Hash> map_{};
};
