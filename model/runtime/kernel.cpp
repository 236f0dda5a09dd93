// System calls that checked code makes by their number.
// SPDX-License-Identifier: Apache-2.0
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <ctime>
#include <string>

#include "futex.hpp"
#include "interpose.hpp"
#include "kernel.hpp"
#include "threads.hpp"
#include "time.hpp"

namespace acqrel::model {
namespace {

bool offers_membarrier = true;

long membarrier(long command, const void* site) {
  if (!offers_membarrier) return -ENOSYS;
  switch (command) {
    case MEMBARRIER_CMD_QUERY:
      return MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: return 0;
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED: fence(kind::heavy, order::seq_cst, site); return 0;
    default: return -EINVAL;
  }
}

long answer(long number, const std::array<long, 6>& arguments, const void* site) {
  switch (number) {
    case SYS_futex: return futex(arguments, site);
    case futex_waitv_number: return futex_waitv(arguments, site);
    case SYS_membarrier: return membarrier(arguments[0], site);
    case SYS_gettid: return kernel_id_of(self());
    case SYS_sched_yield: give_way(); return 0;
    default: break;
  }
  const std::string name = "system call " + std::to_string(number);
  not_modelled(name.c_str(), site);
}

}  // namespace

void begin_kernel(bool membarrier_offered) { offers_membarrier = membarrier_offered; }

}  // namespace acqrel::model

using namespace acqrel::model;

ACQREL_INTERPOSED long syscall(long number, ...) noexcept {
  const call here = ACQREL_CALL;
  std::array<long, 6> arguments;
  va_list given;
  va_start(given, number);
  for (long& a : arguments) a = va_arg(given, long);  // No call takes more; those that take fewer do not look.
  va_end(given);
  const auto& [a, b, c, d, e, f] = arguments;
  if (!here.modelled()) return ACQREL_C_LIBRARY(syscall)(number, a, b, c, d, e, f);
  const checker_work work;
  const long result = answer(number, arguments, here.site());
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}
