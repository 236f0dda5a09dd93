// Operations on atomic objects: from a call to an event, and from the event back to memory.
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "alone.hpp"
#include "memory.hpp"
#include "scheduler.hpp"
#include "sites.hpp"

namespace acqrel::model {
namespace {

value contents(const void* object, std::size_t size) {
  switch (size) {
    case 1: return *static_cast<const std::uint8_t*>(object);
    case 2: return *static_cast<const std::uint16_t*>(object);
    case 4: return *static_cast<const std::uint32_t*>(object);
    case 8: return *static_cast<const std::uint64_t*>(object);
    default: return *static_cast<const value*>(object);
  }
}

void put(void* object, std::size_t size, value v) {
  switch (size) {
    case 1: *static_cast<std::uint8_t*>(object) = static_cast<std::uint8_t>(v); break;
    case 2: *static_cast<std::uint16_t*>(object) = static_cast<std::uint16_t>(v); break;
    case 4: *static_cast<std::uint32_t*>(object) = static_cast<std::uint32_t>(v); break;
    case 8: *static_cast<std::uint64_t*>(object) = static_cast<std::uint64_t>(v); break;
    default: *static_cast<value*>(object) = v; break;
  }
}

/// Plain code that may look at the object finds what is last in its modification order so far.
void settle(void* object, std::size_t size, location l) {
  if (const auto last = tree().latest(l)) put(object, size, *last);
}

location word_of(const void* key, unsigned word) {
  return (location{word} << 48) | word_mark | (reinterpret_cast<std::uintptr_t>(key) & (word_mark - 1));
}

}  // namespace

order order_of(int builtin) {
  switch (builtin & 0xff) {  // above it are hints for lock elision
    case __ATOMIC_RELAXED: return order::relaxed;
    case __ATOMIC_CONSUME:
    case __ATOMIC_ACQUIRE: return order::acquire;
    case __ATOMIC_RELEASE: return order::release;
    case __ATOMIC_ACQ_REL: return order::acq_rel;
    default: return order::seq_cst;
  }
}

value load(const void* object, std::size_t size, order how, const void* site) {
  if (stays_alone(object, effective(site, how))) {
    atomic_access(object, size, true, false, site);
    share_stack(object, size);
    make_alone(object, false);
    return contents(object, size);
  }
  wait_turn();
  const location l = atomic_access(object, size, true, false, site);
  share_stack(object, size);
  return tree().load(self(), l, contents(object, size), effective(site, how), site);
}

void store(void* object, std::size_t size, value to, order how, const void* site) {
  if (stays_alone(object, effective(site, how))) {
    atomic_access(object, size, false, true, site);
    share_stack(object, size);
    make_alone(object, true);
    loops_of_running().act();
    put(object, size, to);
    return;
  }
  wait_turn();
  const location l = atomic_access(object, size, false, true, site);
  share_stack(object, size);
  tree().store(self(), l, contents(object, size), to, effective(site, how), site);
  settle(object, size, l);
}

value modify(void* object, const modification& how, const void* site) {
  const bool compares = how.how == update::compare_exchange;
  modification m = how;
  m.success = effective(site, how.success);
  m.failure = effective_on_failure(site, how.failure);
  if (stays_alone(object, m.failure == order::seq_cst ? m.failure : m.success)) {
    atomic_access(object, how.size, true, !compares, site);
    share_stack(object, how.size);
    const value seen = contents(object, how.size);
    const bool writes = m.writes(seen);
    make_alone(object, writes);
    if (writes) {
      if (compares) atomic_exchanged(object, how.size, site);
      const value to = m.apply(seen);
      if (to != seen) loops_of_running().act();
      put(object, how.size, to);
    }
    return seen;
  }
  wait_turn();
  const location l = atomic_access(object, how.size, true, !compares, site);
  share_stack(object, how.size);
  const value seen = tree().rmw(self(), l, contents(object, how.size), m, site);
  if (m.writes(seen)) {
    if (compares) atomic_exchanged(object, how.size, site);
    settle(object, how.size, l);
  }
  return seen;
}

void fence(kind which, order how, const void* site) {
  const order in_effect = effective(site, how);
  if (in_effect == order::relaxed) return;
  wait_turn();
  tree().fence(self(), which, in_effect, site);
}

value load_word(const void* key, unsigned word, order how, const void* site) {
  wait_turn();
  return tree().load(self(), word_of(key, word), 0, how, site);
}

void store_word(const void* key, unsigned word, value to, order how, const void* site) {
  wait_turn();
  tree().store(self(), word_of(key, word), 0, to, how, site);
}

value modify_word(const void* key, unsigned word, const modification& how, const void* site) {
  wait_turn();
  return tree().rmw(self(), word_of(key, word), 0, how, site);
}

std::uint32_t choose(std::uint32_t n, const void* site) {
  if (n == 1) return 0;
  wait_turn();
  return tree().choose(self(), n, site);
}

}  // namespace acqrel::model
