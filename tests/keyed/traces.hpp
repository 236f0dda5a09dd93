// Two sequences of keys that caches are asked for, and the plain answer: least recently used out first.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <list>
#include <random>
#include <unordered_map>
#include <vector>

namespace traces {

/// Popularity falls with the rank to the power of 0.9; every hundred keys another takes the place of one, for good.
class zipf_with_churn {
 public:
  explicit zipf_with_churn(int keys, unsigned seed = 1) : random_(seed), next_(keys) {
    double sum = 0;
    for (int rank = 1; rank <= keys; ++rank) {
      sum += 1 / std::pow(rank, 0.9);
      below_.push_back(sum);
      key_.push_back(rank - 1);
    }
  }
  int operator()() {
    if (++asked_ % 100 == 0) key_[random_() % key_.size()] = next_++;
    const double at = below_.back() * (static_cast<double>(random_()) / static_cast<double>(std::mt19937::max()));
    const auto found = std::lower_bound(below_.begin(), below_.end() - 1, at);
    return key_[static_cast<std::size_t>(found - below_.begin())];
  }

 private:
  std::mt19937 random_;
  int next_;
  unsigned asked_ = 0;
  std::vector<double> below_;
  std::vector<int> key_;  // by rank
};

/// One key after the other, again and again: what a scan of a table does that is larger than the cache.
class loop {
 public:
  explicit loop(int keys) : keys_(keys) {}
  int operator()() { return next_++ % keys_; }

 private:
  int keys_, next_ = 0;
};

/// Least recently used: a list and a map.
template <class K, class V>
class lru {
 public:
  explicit lru(std::size_t most) : most_(most) {}

  /// Null: it is not there.
  const V* find(const K& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }
  void insert(const K& key, V value) {
    entries_.emplace_front(key, std::move(value));
    places_.emplace(key, entries_.begin());
    if (places_.size() <= most_) return;
    places_.erase(entries_.back().first);
    entries_.pop_back();
  }

 private:
  std::size_t most_;
  std::list<std::pair<K, V>> entries_;  // the last used first
  std::unordered_map<K, typename std::list<std::pair<K, V>>::iterator> places_;
};

/// Of `asked` keys of a trace, the share that `is_hit` says were there.
template <class Trace, class IsHit>
double hit_rate(Trace trace, int asked, IsHit is_hit) {
  int hits = 0;
  for (int i = 0; i != asked; ++i) hits += is_hit(trace()) ? 1 : 0;
  return static_cast<double>(hits) / asked;
}

}  // namespace traces
