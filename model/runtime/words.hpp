// The words that stand in the execution graph for an object of the program that synchronises, and what a run remembers
// beside them: which thread holds which lock.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "run.hpp"

namespace acqrel::model {

/// One of the words of the object at `object`; 0 at first.
struct sync_word {
  const void* object;
  unsigned number;

  value load(order how, const void* site) const { return load_word(object, number, how, site); }
  void store(value to, order how, const void* site) const { store_word(object, number, to, how, site); }
  /// If it is `expected`. Returns what was there; relaxed if that was something else.
  value replace(value expected, value by, order how, const void* site) const {
    return modify_word(object, number, {update::compare_exchange, 4, by, expected, how, order::relaxed}, site);
  }
  value add(value n, order how, const void* site) const {
    return modify_word(object, number, {update::add, 4, n, 0, how, order::relaxed}, site);
  }
  value subtract(value n, order how, const void* site) const {
    return modify_word(object, number, {update::subtract, 4, n, 0, how, order::relaxed}, site);
  }
  value add_below(value limit, value n, order how, const void* site) const {
    return modify_word(object, number, {update::add_below, 4, n, limit, how, order::relaxed}, site);
  }

  friend bool operator==(const sync_word&, const sync_word&) = default;
};

// Numbers of words. An object that is destroyed and made anew in the same place has other words than the one before.
inline constexpr unsigned words_of_object = 8;
inline constexpr unsigned kernel_word = 0x800;  ///< of the kernel's queue for a futex
inline constexpr unsigned guard_word = 0x801;   ///< of a function static
inline constexpr unsigned sleep_words = 0x1000;

/// The first word of the object at `object`, which the running thread is about to use, as its very next operation: neither
/// its making nor its end may be unordered with that, and its storage must be alive.
sync_word word_of(const void* object, const void* site);
/// The object's storage is set up anew, or ends.
void make_or_end(void* object, std::size_t size, const void* site);

// ---- locks held
struct holding {
  const void* object;
  unsigned count;  ///< times locked
  bool shared;
  const void* site;
};
/// The lock on `object` that the running thread holds, or nullptr.
holding* held_by_self(const void* object);
void hold(const void* object, bool shared, const void* site);
void let_go(const void* object);
/// ", held by thread 1 since queue.hpp:31"; empty if nobody holds it.
std::string holders(const void* object);

/// Before every run.
void begin_words();

}  // namespace acqrel::model
