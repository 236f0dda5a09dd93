// SPDX-License-Identifier: Apache-2.0
#include <urcu/tls-compat.h>
// In C++ the headers say thread_local, which checks for a constructor on every use; __thread, as in C, does not.
#undef URCU_TLS_STORAGE_CLASS
#define URCU_TLS_STORAGE_CLASS __thread
#define _LGPL_SOURCE
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#define LIBURCU_FLAVOUR liburcu_qsbr
#include "bench/publish/liburcu.hpp"

namespace {

[[maybe_unused]] const bool entered = [] {
  bench::enter_timings<liburcu_qsbr::liburcu>("liburcu qsbr");
  bench::enter_measurements<liburcu_qsbr::liburcu>("liburcu qsbr");
  return true;
}();

}  // namespace
