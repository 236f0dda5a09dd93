// SPDX-License-Identifier: Apache-2.0
// bench/publish/standard.hpp - the plain answers of the standard library.
#pragma once

#include "bench/publish/contest.hpp"
#include "bench/publish/values.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace bench {

template <class T, class Mutex, class ReadLock>
struct locked_pointer {
  struct guard {
    explicit guard(locked_pointer& from) : lock(from.mutex), held(from.current.get()) {}
    const T* operator->() const { return held; }
    ReadLock lock;
    const T* held;
  };
  struct reader_of_one {
    [[gnu::always_inline]] guard read() const { return guard(*from); }
    locked_pointer* from;
  };
  struct session {
    explicit session(locked_pointer& contender) : all(contender) {}
    reader_of_one reader() { return {&all}; }
    void publish(std::uint64_t number) {
      auto next = std::make_unique<T>(number);
      const std::unique_lock lock(all.mutex);
      all.current.swap(next);
    }
    void quiesce() {}
    locked_pointer& all;
  };
  Mutex mutex;
  std::unique_ptr<T> current = std::make_unique<T>(1);
};
template <class T>
using under_mutex = locked_pointer<T, std::mutex, std::lock_guard<std::mutex>>;
template <class T>
using under_shared_mutex = locked_pointer<T, std::shared_mutex, std::shared_lock<std::shared_mutex>>;

template <class T>
struct atomic_shared_pointer {
  struct reader_of_one {
    [[gnu::always_inline]] std::shared_ptr<const T> read() const { return current->load(std::memory_order_acquire); }
    const std::atomic<std::shared_ptr<const T>>* current;
  };
  struct session {
    explicit session(atomic_shared_pointer& contender) : all(contender) {}
    reader_of_one reader() { return {&all.current}; }
    void publish(std::uint64_t number) {
      all.current.store(std::make_shared<const T>(number), std::memory_order_release);
    }
    void quiesce() {}
    atomic_shared_pointer& all;
  };
  std::atomic<std::shared_ptr<const T>> current{std::make_shared<const T>(1)};
};
template <class T>
void drain(atomic_shared_pointer<T>&, typename atomic_shared_pointer<T>::session&) {}

/// A shared_ptr copied under a mutex: the plain answer to "keep this version".
template <class T>
struct copied_shared_pointer {
  struct reader_of_one {
    [[gnu::always_inline]] std::shared_ptr<const T> read() const {
      const std::lock_guard lock(from->mutex);
      return from->current;
    }
    copied_shared_pointer* from;
  };
  struct session {
    explicit session(copied_shared_pointer& contender) : all(contender) {}
    reader_of_one reader() { return {&all}; }
    void publish(std::uint64_t number) {
      std::shared_ptr<const T> next = std::make_shared<const T>(number);
      const std::lock_guard lock(all.mutex);
      all.current.swap(next);
    }
    void quiesce() {}
    copied_shared_pointer& all;
  };
  std::mutex mutex;
  std::shared_ptr<const T> current = std::make_shared<const T>(1);
};

/// A thread's own shared_ptr, renewed when a version number has moved: the plain answer to "cache it".
template <class T>
struct numbered_shared_pointer : copied_shared_pointer<T> {
  struct caching_reader {
    explicit caching_reader(numbered_shared_pointer& contender) : from(&contender) {}
    [[gnu::always_inline]] const T* read() {
      if (const auto now = from->version.load(std::memory_order_acquire); now != seen) [[unlikely]]
        renew(now);
      return held;
    }
    [[gnu::cold, gnu::noinline]] void renew(std::uint64_t now) {
      kept = typename copied_shared_pointer<T>::reader_of_one{from}.read();
      held = kept.get();
      seen = now;
    }
    numbered_shared_pointer* from;
    std::shared_ptr<const T> kept;
    const T* held = nullptr;
    std::uint64_t seen = 0;
  };
  struct session : copied_shared_pointer<T>::session {
    using base = typename copied_shared_pointer<T>::session;
    explicit session(numbered_shared_pointer& contender) : base(contender), numbered(contender) {}
    static constexpr std::uint64_t reads_in_batch = 16384;  // each begins with a new reader, which fetches
    caching_reader reader() { return caching_reader(numbered); }
    void publish(std::uint64_t number) {
      base::publish(number);
      numbered.version.fetch_add(1, std::memory_order_release);
    }
    numbered_shared_pointer& numbered;
  };
  std::atomic<std::uint64_t> version{1};
};

}  // namespace bench
