// Atomic operations as g++ and clang++ call them in code compiled with -fsanitize=thread. Outside of a run each is what the
// processor does.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "alone.hpp"
#include "caller.hpp"
#include "entry.hpp"
#include "memory.hpp"
#include "scheduler.hpp"
#include "sites.hpp"

// Called by name from assembler, by compiled programs, or both: no header declares them.
#pragma GCC diagnostic ignored "-Wmissing-declarations"

__attribute__((visibility("hidden"))) acqrel::model::registers acqrel_model_registers;

namespace acqrel::model {
namespace {

template <class T>
T* plain(const volatile T* p) {
  return const_cast<T*>(p);
}

// ---- as the processor does it; 16 bytes by compare-and-exchange

template <class T>
bool exchange_if(volatile T* p, T& expected, T desired) {
  return __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

__attribute__((target("cx16"))) bool exchange_if(volatile value* p, value& expected, value desired) {
  const value seen = __sync_val_compare_and_swap(p, expected, desired);
  const bool done = seen == expected;
  expected = seen;
  return done;
}

template <class T>
T native_load(const volatile T* p) {
  if constexpr (sizeof(T) <= 8) {
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
  } else {
    T seen = 0;
    exchange_if(plain(p), seen, seen);
    return seen;
  }
}

template <class T>
T native_modify(volatile T* p, T operand, update how) {
  T seen = sizeof(T) <= 8 ? *p : 0;
  modification m;
  m.how = how;
  m.size = sizeof(T);
  m.operand = operand;
  while (!exchange_if(p, seen, static_cast<T>(m.apply(seen)))) {
  }
  return seen;
}

// ---- in a run

void wait_to_read(const void* object, order how, const void* site) {
  wait_turn_to_read(acqrel_model_registers, stays_alone(object, effective(site, how)), site);
}

template <class T>
T model_load(const volatile T* p, int how, const void* site) {
  const checker_work work;
  wait_to_read(plain(p), order_of(how), site);
  return static_cast<T>(load(plain(p), sizeof(T), order_of(how), site));
}

template <class T>
void model_store(volatile T* p, T to, int how, const void* site) {
  const checker_work work;
  store(plain(p), sizeof(T), to, order_of(how), site);
}

template <class T>
T model_modify(volatile T* p, T operand, int how, update what, const void* site) {
  const checker_work work;
  wait_to_read(plain(p), order_of(how), site);
  modification m;
  m.how = what;
  m.size = sizeof(T);
  m.operand = operand;
  m.success = m.failure = order_of(how);
  return static_cast<T>(modify(plain(p), m, site));
}

/// Whether it wrote; `expected` becomes what it read.
template <class T>
bool compare_exchange(volatile T* p, T& expected, T desired, int how, int failing, bool weak, const void* site) {
  wait_to_read(plain(p), order_of(how), site);
  modification m;
  m.how = update::compare_exchange;
  m.size = sizeof(T);
  m.operand = desired;
  m.expected = expected;
  m.success = order_of(how);
  m.failure = order_of(failing);
  if (weak && fails_spuriously(site)) {
    expected = static_cast<T>(load(plain(p), sizeof(T), m.failure, site));
    return false;
  }
  const value seen = modify(plain(p), m, site);
  expected = static_cast<T>(seen);
  return m.writes(seen);
}

/// The compilers leave the accesses to `expected` to this call.
template <class T>
int model_compare_exchange(volatile T* p, T* expected, T desired, int how, int failing, bool weak, const void* site) {
  const checker_work work;
  plain_read(expected, sizeof(T), site);
  T seen = *expected;
  if (compare_exchange(p, seen, desired, how, failing, weak, site)) return 1;
  plain_write(expected, sizeof(T), site);
  *expected = seen;
  return 0;
}

/// As clang++ calls it; it does not say which compare-exchanges are weak.
template <class T>
T model_compare_exchange_value(volatile T* p, T expected, T desired, int how, int failing, const void* site) {
  const checker_work work;
  compare_exchange(p, expected, desired, how, failing, false, site);
  return expected;
}

void model_fence(int how, const void* site) {
  const checker_work work;
  fence(kind::fence, order_of(how), site);
}

/// A compiler barrier. The strongest one is the cheap side of an asymmetric fence; others only stop signal handlers.
void model_signal_fence(int how, const void* site) {
  const checker_work work;
  if (order_of(how) == order::seq_cst) fence(kind::light, order::seq_cst, site);
}

}  // namespace
}  // namespace acqrel::model

using namespace acqrel::model;

// What is called in a run, and what outside, with the name of the instrumentation in front of both.
#define ACQREL_HIDDEN extern "C" __attribute__((visibility("hidden"), used))
#define ACQREL_VISIBLE extern "C" __attribute__((visibility("default")))
#define ACQREL_SITE operation_site(__builtin_return_address(0), __builtin_frame_address(0))
#define ACQREL_STATEFUL(name) ACQREL_ENTRY(__tsan_##name, acqrel_model_##name, acqrel_native_##name)

#define ACQREL_MODIFY(bits, type, called, what)                                                      \
  ACQREL_HIDDEN type acqrel_model_atomic##bits##_##called(volatile type* p, type operand, int how) { \
    return model_modify(p, operand, how, what, ACQREL_SITE);                                         \
  }                                                                                                  \
  ACQREL_HIDDEN type acqrel_native_atomic##bits##_##called(volatile type* p, type operand, int) {    \
    return native_modify(p, operand, what);                                                          \
  }                                                                                                  \
  ACQREL_STATEFUL(atomic##bits##_##called)

#define ACQREL_COMPARE(bits, type, called, is_weak)                                                              \
  ACQREL_HIDDEN int acqrel_model_atomic##bits##_##called(volatile type* p, type* expected, type to, int how,     \
                                                         int failing) {                                          \
    return model_compare_exchange(p, expected, to, how, failing, is_weak, ACQREL_SITE);                          \
  }                                                                                                              \
  ACQREL_HIDDEN int acqrel_native_atomic##bits##_##called(volatile type* p, type* expected, type to, int, int) { \
    return exchange_if(p, *expected, to) ? 1 : 0;                                                                \
  }                                                                                                              \
  ACQREL_STATEFUL(atomic##bits##_##called)

#define ACQREL_ATOMIC(bits, type)                                                                                     \
  ACQREL_HIDDEN type acqrel_model_atomic##bits##_load(const volatile type* p, int how) {                              \
    return model_load(p, how, ACQREL_SITE);                                                                           \
  }                                                                                                                   \
  ACQREL_HIDDEN type acqrel_native_atomic##bits##_load(const volatile type* p, int) { return native_load(p); }        \
  ACQREL_STATEFUL(atomic##bits##_load)                                                                                \
  ACQREL_VISIBLE void __tsan_atomic##bits##_store(volatile type* p, type to, int how) {                               \
    if (native)                                                                                                       \
      native_modify(p, to, update::exchange);                                                                         \
    else                                                                                                              \
      model_store(p, to, how, ACQREL_SITE);                                                                           \
  }                                                                                                                   \
  ACQREL_MODIFY(bits, type, exchange, update::exchange)                                                               \
  ACQREL_MODIFY(bits, type, fetch_add, update::add)                                                                   \
  ACQREL_MODIFY(bits, type, fetch_sub, update::subtract)                                                              \
  ACQREL_MODIFY(bits, type, fetch_and, update::bit_and)                                                               \
  ACQREL_MODIFY(bits, type, fetch_or, update::bit_or)                                                                 \
  ACQREL_MODIFY(bits, type, fetch_xor, update::bit_xor)                                                               \
  ACQREL_MODIFY(bits, type, fetch_nand, update::bit_nand)                                                             \
  ACQREL_COMPARE(bits, type, compare_exchange_strong, false)                                                          \
  ACQREL_COMPARE(bits, type, compare_exchange_weak, true)                                                             \
  ACQREL_HIDDEN type acqrel_model_atomic##bits##_compare_exchange_val(volatile type* p, type expected, type to,       \
                                                                      int how, int failing) {                         \
    return model_compare_exchange_value(p, expected, to, how, failing, ACQREL_SITE);                                  \
  }                                                                                                                   \
  ACQREL_HIDDEN type acqrel_native_atomic##bits##_compare_exchange_val(volatile type* p, type expected, type to, int, \
                                                                       int) {                                         \
    exchange_if(p, expected, to);                                                                                     \
    return expected;                                                                                                  \
  }                                                                                                                   \
  ACQREL_STATEFUL(atomic##bits##_compare_exchange_val)

ACQREL_ATOMIC(8, std::uint8_t)
ACQREL_ATOMIC(16, std::uint16_t)
ACQREL_ATOMIC(32, std::uint32_t)
ACQREL_ATOMIC(64, std::uint64_t)
ACQREL_ATOMIC(128, value)

ACQREL_VISIBLE void __tsan_atomic_thread_fence(int how) {
  if (native)
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  else
    model_fence(how, ACQREL_SITE);
}

ACQREL_VISIBLE void __tsan_atomic_signal_fence(int how) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (!native) model_signal_fence(how, ACQREL_SITE);
}
