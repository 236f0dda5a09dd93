// The kernel's futex: what std::atomic::wait, and locks that programs make by themselves, sleep in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace acqrel::model {

/// syscall(SYS_futex, ...) and syscall(SYS_futex_waitv, ...) by the running thread: the result, or minus an error.
long futex(const std::array<long, 6>& arguments, const void* site);
long futex_waitv(const std::array<long, 6>& arguments, const void* site);

inline constexpr long futex_waitv_number = 449;  // which older headers lack

}  // namespace acqrel::model
