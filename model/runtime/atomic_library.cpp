// libatomic's functions for atomic objects of any size: clang calls them for 16 bytes. Larger objects are guarded there by
// locks that nobody sees, and are refused in a run.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstring>

#include "interpose.hpp"
#include "memory.hpp"

namespace acqrel::model {
namespace {

bool at_once(std::size_t size) { return size == 1 || size == 2 || size == 4 || size == 8 || size == 16; }

/// Whether the call is of checked code within a run; it must be one on an object that the processor can handle at once.
bool modelled(const call& here, std::size_t size) {
  if (!here.modelled()) return false;
  if (!at_once(size))
    not_modelled("an atomic object of more than 16 bytes, or of an odd size, for which libatomic takes a hidden lock,",
                 here.site());
  return true;
}

value read(const void* from, std::size_t size, const void* site) {
  plain_read(from, size, site);
  value v = 0;
  std::memcpy(&v, from, size);
  return v;
}

void write(void* to, value v, std::size_t size, const void* site) {
  plain_write(to, size, site);
  std::memcpy(to, &v, size);
}

}  // namespace
}  // namespace acqrel::model

using namespace acqrel::model;

// The compiler has its own idea of these names, so that only assembler may define them.
#define ACQREL_ATOMIC(result, name, parameters)                                            \
  extern "C" __attribute__((visibility("hidden"))) result acqrel_atomic_##name parameters; \
  ACQREL_ENTRY(__atomic_##name, acqrel_atomic_##name, acqrel_atomic_##name)                \
  extern "C" result acqrel_atomic_##name parameters

ACQREL_ATOMIC(void, load, (std::size_t size, const void* p, void* to, int how)) {
  const call here = ACQREL_CALL;
  if (!modelled(here, size))
    return reinterpret_cast<decltype(&acqrel_atomic_load)>(c_library_function("__atomic_load"))(size, p, to, how);
  const checker_work work;
  look(here);
  write(to, load(p, size, order_of(how), here.site()), size, here.site());
}

ACQREL_ATOMIC(void, store, (std::size_t size, void* p, const void* from, int how)) {
  const call here = ACQREL_CALL;
  if (!modelled(here, size))
    return reinterpret_cast<decltype(&acqrel_atomic_store)>(c_library_function("__atomic_store"))(size, p, from, how);
  const checker_work work;
  store(p, size, read(from, size, here.site()), order_of(how), here.site());
}

ACQREL_ATOMIC(void, exchange, (std::size_t size, void* p, const void* from, void* to, int how)) {
  const call here = ACQREL_CALL;
  if (!modelled(here, size))
    return reinterpret_cast<decltype(&acqrel_atomic_exchange)>(c_library_function("__atomic_exchange"))(size, p, from,
                                                                                                        to, how);
  const checker_work work;
  look(here);
  modification m;
  m.how = update::exchange;
  m.size = static_cast<std::uint8_t>(size);
  m.operand = read(from, size, here.site());
  m.success = m.failure = order_of(how);
  write(to, modify(p, m, here.site()), size, here.site());
}

ACQREL_ATOMIC(bool, compare_exchange,
              (std::size_t size, void* p, void* expected, const void* desired, int how, int failing)) {
  const call here = ACQREL_CALL;
  if (!modelled(here, size))
    return reinterpret_cast<decltype(&acqrel_atomic_compare_exchange)>(c_library_function("__atomic_compare_exchange"))(
        size, p, expected, desired, how, failing);
  const checker_work work;
  look(here);
  modification m;
  m.how = update::compare_exchange;
  m.size = static_cast<std::uint8_t>(size);
  m.operand = read(desired, size, here.site());
  m.expected = read(expected, size, here.site());
  m.success = order_of(how);
  m.failure = order_of(failing);
  const value seen = modify(p, m, here.site());
  if (m.writes(seen)) return true;
  write(expected, seen, size, here.site());
  return false;
}
