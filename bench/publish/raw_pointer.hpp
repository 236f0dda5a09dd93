// SPDX-License-Identifier: Apache-2.0
// bench/publish/raw_pointer.hpp - the floor: a raw atomic pointer, and each old value freed 1,024 publishes later. No program
// may do so (a reader may sleep for longer); it is the least that allocating, publishing and freeing can cost.
#pragma once

#include "bench/publish/contest.hpp"
#include "bench/publish/shared/bare_slot.hpp"
#include "bench/publish/values.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bench {

template <class T>
struct raw_pointer {
  raw_pointer() : current(new T(1)) {}
  ~raw_pointer() {
    for (T* each : late) delete each;
    delete current.load();
  }
  raw_pointer(const raw_pointer&) = delete;
  raw_pointer& operator=(const raw_pointer&) = delete;

  struct reader_of_one {
    [[gnu::always_inline]] const T* read() const { return current->load(std::memory_order_acquire); }
    const std::atomic<T*>* current;
  };
  struct session {
    explicit session(raw_pointer& contender) : all(contender) {}
    reader_of_one reader() { return {&all.current}; }
    void publish(std::uint64_t number) {
      T*& slot = all.late[all.published++ % delay];  // one publisher only
      delete slot;
      slot = all.current.exchange(new T(number), std::memory_order_acq_rel);
    }
    void quiesce() {}
    raw_pointer& all;
  };
  static constexpr std::size_t delay = 1024;
  std::atomic<T*> current;
  alignas(64) std::size_t published = 0;
  T* late[delay] = {};
};

struct own_slot {
  static std::atomic<const void*>& get() { return bare_slot; }
};
struct slot_in_record {
  static std::atomic<const void*>& get() { return *bare_record; }
};

/// The least a reader can do that some reclaimer could look at: announce, check, use, withdraw. There is no reclaimer.
template <class T, class Slot = own_slot>
struct bare_hazard : raw_pointer<T> {
  struct guard {
    explicit guard(const std::atomic<T*>& from) {
      for (;;) {
        held = from.load(std::memory_order_relaxed);
        Slot::get().store(held, std::memory_order_release);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (from.load(std::memory_order_acquire) == held) [[likely]]
          return;
      }
    }
    ~guard() {
      Slot::get().store(nullptr, std::memory_order_release);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    const T* operator->() const { return held; }
    const T* held;
  };
  struct reader_of_one {
    [[gnu::always_inline]] guard read() const { return guard(*current); }
    const std::atomic<T*>* current;
  };
  struct session : raw_pointer<T>::session {
    explicit session(raw_pointer<T>& contender) : raw_pointer<T>::session(contender) { bare_record = &bare_slot; }
    reader_of_one reader() { return {&this->all.current}; }
  };
};

}  // namespace bench
