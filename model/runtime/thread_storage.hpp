// Where model threads live: one slot of address space each, the same in every process, that holds the stack of the fiber
// and, above it, the stack and the thread-local storage of the sleeping thread it borrows from.
//
//   slot   | nothing: an overflow faults | fiber's stack -> | nothing | sleeper's stack -> | thread_local blocks, TCB |
//          0                             1 MiB              2 MiB                                                 4 MiB
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "../core/event.hpp"

namespace acqrel::model {

/// Far from where Linux puts executables (above 0x5555'5555'4000), libraries, heaps and stacks, random or not.
inline constexpr std::uintptr_t slots_begin = 0x2000'0000'0000;
inline constexpr std::uintptr_t slot_size = 4u << 20;
inline constexpr std::uintptr_t slots_end = slots_begin + max_threads * slot_size;
inline constexpr std::uintptr_t stack_begin = 1u << 20;  ///< within its slot
inline constexpr std::uintptr_t stack_end = 2u << 20;

/// Maps the slots and makes the sleeping threads.
void prepare_thread_storage();
/// What %fs holds while model thread `t` runs.
std::uint64_t thread_pointer_of(thread_id t);
/// The thread_local objects of checked code, the exceptions in flight and errno of `t` become those of a new thread.
void reset_thread_storage(thread_id t);

/// Says on stderr what this machine or program lacks, and ends the process.
[[noreturn]] void cannot_run(const char* what, const char* remedy);

}  // namespace acqrel::model
