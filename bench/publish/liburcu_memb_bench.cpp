// SPDX-License-Identifier: Apache-2.0
#include <urcu/tls-compat.h>
// In C++ the headers say thread_local, which checks for a constructor on every use; __thread, as in C, does not.
#undef URCU_TLS_STORAGE_CLASS
#define URCU_TLS_STORAGE_CLASS __thread
#define _LGPL_SOURCE
#define URCU_API_MAP
#include <urcu/urcu-memb.h>

#define LIBURCU_FLAVOUR liburcu_memb
#include "bench/publish/liburcu.hpp"

namespace {

[[maybe_unused]] const bool entered = [] {
  bench::enter_timings<liburcu_memb::liburcu>("liburcu memb");
  bench::enter_measurements<liburcu_memb::liburcu>("liburcu memb");
  return true;
}();

}  // namespace
