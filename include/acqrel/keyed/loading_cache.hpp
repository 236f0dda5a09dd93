// acqrel/keyed/loading_cache.hpp - a bounded cache that loads what it lacks: each key once, however many ask.
//
//   acqrel::loading_cache<std::string, page> pages(fetch, {.most = 10'000, .time_to_live = 10min});
//   const auto home = pages.get("/");            // any thread; on a miss one fetches, and all get what it got
//   send(*home);
//   pages.invalidate("/");                       // also what is being fetched now: it is not kept
//
// Publishes  the value that the loader returned, and everything it did before, to who gets it, as const V.
// Edges      none of its own: a hit is one of concurrent_map::find(); for loads see cache_upkeep.hpp.
// Progress   a hit is as concurrent_map::find(): no lock, and no write to the entry once it was hit three times. All else
//            takes a mutex for a few instructions, and may wait for a load.
// Memory     some 250 bytes a value, with its key twice. What the values weigh that can be found is never above the bound,
//            but for the moment in which a lighter one takes the place of a heavier. Keys being loaded come on top, and what
//            guards and share() hold. A value whose time is up goes with a later load, at the latest when that time is up once
//            more, or with expire().
// Threads    all from any. What get() returns stays on its thread. Destruction, which no call may overlap, waits for the
//            loads that the executor has.
// Errors     what the loader throws goes to all who wait for it. A loader that asks for its own key gets std::logic_error.
//            Without memory to keep a value it is returned all the same; without any to take one out the process ends.
//            on_removal, hash and equality must not throw.
// Cost       a hit: a find, a few plain operations to count it, and if values age a look at the coarse clock.
//            Bench loading_cache/hit.
// Model      tests/keyed/loading_cache_model.cpp; the rule by which loads end, tests/keyed/cache_upkeep_model.cpp.
// Not for    values no dearer than a look-up; an executor whose threads wait for get(). Two loaders that ask for each
//            other's key wait for ever.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/keyed/cache_upkeep.hpp>
#include <acqrel/keyed/concurrent_map.hpp>

#include <optional>
#include <type_traits>
#include <vector>

namespace acqrel {

template <class K, class V, class Hash = flat_hash<K>, class Equal = std::equal_to<>>
class loading_cache final : public cache_upkeep {
  struct keyed;
  using map = concurrent_map<K, entry_ptr, Hash, Equal>;

 public:
  class found;
  struct options {
    /// How much all values may weigh.
    std::uint64_t most = UINT64_MAX;
    /// Without it each weighs 1.
    std::function<std::uint64_t(const K&, const V&)> weigh = {};
    /// Since it was loaded.
    duration time_to_live = for_ever;
    /// Since it was loaded: the next get() has it loaded again; those that come meanwhile get what is there.
    duration refresh_after = for_ever;
    /// How long past its time a value serves where it cannot be loaded again.
    duration stale_on_error = duration::zero();
    /// How long nobody tries again after a load that failed, or found no value.
    duration remember_failures = duration::zero();
    /// Runs the loads; without it the first that asks does. What it drops has failed.
    std::function<void(std::function<void()>)> executor = {};
    /// Gets each value that is there no more, once, under no lock; not those that the destructor finds.
    std::function<void(const K&, const std::shared_ptr<const V>&, removal)> on_removal = {};
    /// null: time_source::coarse().
    time_source* time = nullptr;
  };

  /// loader(const K&) returns a V, or a std::optional<V>, which is empty if there is no value.
  template <class Load>
  requires std::is_invocable_r_v<std::optional<V>, Load&, const K&> explicit loading_cache(Load loader)
      : loading_cache(std::move(loader), options()) {}
  template <class Load>
  requires std::is_invocable_r_v<std::optional<V>, Load&, const K&> loading_cache(Load loader, options how)
      : cache_upkeep({how.most, how.time_to_live, how.refresh_after, how.stale_on_error, how.remember_failures,
                      std::move(how.executor), how.time}),
        load_([its = std::make_shared<Load>(std::move(loader))](const K& key) -> std::optional<V> {
          return (*its)(key);
        }),
        weigh_(std::move(how.weigh)),
        on_removal_(std::move(how.on_removal)) {}
  ~loading_cache() { wait_for_loads(); }

  /// Loads the value, or waits for who does, if it is not there. A load goes on, and is kept, when all who wait have left.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] found get(const Q& key, const patience& how_long = {}) {
    return found(*this, key, &how_long);
  }
  /// What is there. Waits for nothing and loads nothing.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  [[nodiscard]] found find(const Q& key) {
    return found(*this, key, nullptr);
  }
  /// As if it had been loaded now. What is being loaded is not kept.
  void put(const K& key, V value) {
    const entry_ptr made = make(key, std::move(value), nullptr);
    for (;;) {
      if (const entry_ptr mine = begin(key, there(key))) return settle(mine, made, removal::replaced);
    }
  }
  /// Who asks from now on gets what is loaded from now on. False: it was neither there nor being loaded.
  template <flat_hash_key<K, Hash, Equal> Q = K>
  bool invalidate(const Q& key) {
    take_turn();
    const std::optional<entry_ptr> taken = map_.take(key);
    if (taken) dismiss(*taken);
    return taken.has_value();
  }
  /// That for every key.
  void invalidate_all() {
    take_turn();
    std::vector<K> keys;
    map_.for_each([&](const K& key, const entry_ptr&) { keys.push_back(key); });
    for (const K& key : keys) invalidate(key);
  }

 private:
  static const K& key_of(const entry_ptr& one) noexcept { return static_cast<const keyed&>(*one).key; }
  entry_ptr there(const K& key) const { return map_.get(key).value_or(nullptr); }
  entry_ptr make(const K& key, std::optional<V> value, std::exception_ptr thrown) const {
    const std::uint64_t weight = value && weigh_ ? weigh_(key, *value) : 1;
    return std::make_shared<keyed>(key, std::move(value), std::move(thrown), weight,
                                   value ? dates_of_value() : dates_of_failure());
  }
  // A load takes the place of what is there. Null: that has changed meanwhile.
  entry_ptr begin(const K& key, const entry_ptr& there) {
    entry_ptr mine = std::make_shared<keyed>(key, there);
    const bool won = there == nullptr ? map_.insert(key, mine) : map_.compare_and_assign(key, there, mine);
    return won ? mine : nullptr;
  }
  entry_ptr ask(const K& key, const patience* how_long) {
    for (entry_ptr answer;;) {
      const entry_ptr now = there(key);
      if (answers(now, how_long, answer)) return answer;
      if (const entry_ptr mine = begin(key, now)) return take_on(mine, *how_long);
    }
  }

  bool is_there(const entry_ptr& one) override { return there(key_of(one)) == one; }
  bool replace(const entry_ptr& one, const entry_ptr& by) override {
    return map_.compare_and_assign(key_of(one), one, by);
  }
  bool take_out(const entry_ptr& one) noexcept override { return map_.compare_and_erase(key_of(one), one); }
  entry_ptr load(const entry_ptr& what) override { return make(key_of(what), load_(key_of(what)), nullptr); }
  entry_ptr make_failed(const entry_ptr& what, std::exception_ptr thrown) override {
    return make(key_of(what), std::nullopt, std::move(thrown));
  }
  void tell(const entry_ptr& left, removal why) noexcept override {
    if (on_removal_)
      on_removal_(key_of(left), std::shared_ptr<const V>(left, &*static_cast<const keyed&>(*left).value), why);
  }

  const std::function<std::optional<V>(const K&)> load_;
  const std::function<std::uint64_t(const K&, const V&)> weigh_;
  const std::function<void(const K&, const std::shared_ptr<const V>&, removal)> on_removal_;
  map map_;
};

/// What get() found: false if there is no value, or none came in time. Immovable and cheap.
template <class K, class V, class Hash, class Equal>
class [[nodiscard]] loading_cache<K, V, Hash, Equal>::found {
 public:
  found(const found&) = delete;
  found& operator=(const found&) = delete;
  static void* operator new(std::size_t) = delete;

  explicit operator bool() const noexcept { return value_ != nullptr; }
  const V* get() const& noexcept { return value_; }
  const V& operator*() const& noexcept { return *value_; }
  const V* operator->() const noexcept { return value_; }
  const V* get() const&& = delete;  // would dangle: name what get(key) returned first
  const V& operator*() const&& = delete;
  /// To keep, and for other threads.
  [[nodiscard]] std::shared_ptr<const V> share() const {
    return value_ == nullptr ? nullptr : std::shared_ptr<const V>(kept_ != nullptr ? kept_ : *there_, value_);
  }
  /// Without a value: whether it is known that there is none. Otherwise patience ran out, or find() found nothing.
  [[nodiscard]] bool is_known() const noexcept { return value_ != nullptr || kept_ != nullptr; }

 private:
  friend loading_cache;
  template <class Q>
  found(loading_cache& cache, const Q& key, const patience* how_long) : there_(cache.map_.find(key)) {
    if (there_) {
      keyed& one = static_cast<keyed&>(**there_);
      if (one.value && cache.serves(one)) [[likely]] {
        one.use();
        cache.count_hit();
        value_ = &*one.value;
        return;
      }
    }
    kept_ = cache.ask(K(key), how_long);
    if (kept_ == nullptr) return;
    if (const auto& value = static_cast<keyed&>(*kept_).value) value_ = &*value;
    if (kept_->thrown != nullptr && how_long != nullptr) std::rethrow_exception(kept_->thrown);
  }

  typename map::guard there_;
  entry_ptr kept_;  // what came slowly
  const V* value_ = nullptr;
};

template <class K, class V, class Hash, class Equal>
struct loading_cache<K, V, Hash, Equal>::keyed : entry {
  keyed(const K& k, std::optional<V> v, std::exception_ptr t, std::uint64_t weight, const dates& dates)
      : entry(v.has_value(), std::move(t), Hash{}(k), weight, dates), key(k), value(std::move(v)) {}
  keyed(const K& k, const entry_ptr& there) : entry(there), key(k) {}

  const K key;
  const std::optional<V> value;
};

}  // namespace acqrel
