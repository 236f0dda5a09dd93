// Plain memory under the checker: blocks at addresses that are the same in every run, and who touched each byte last.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "../core/event.hpp"
#include "run.hpp"

namespace acqrel::model {

// ---- blocks
// Each model thread has an arena at a fixed address and the n-th allocation of a thread is at the same place in every
// run. Nothing is reused within a run, unless reuse is asked for: then a thread gets back the block of equal size that
// it freed last, as from an allocator with a cache per thread. What another thread freed it never gets: two threads
// could want it, and which of them comes first is not a matter of the execution.

/// Before a run: no blocks, no accesses.
void begin_memory(bool reuse_blocks);
/// 16-byte aligned at least, filled with a pattern that is no address. Counts as a plain write of the whole block.
/// Without room for it, the run ends at a bound.
void* allocate(std::size_t size, std::size_t alignment, const void* site);
/// Counts as a plain write of the whole block; bad_free if it is not one or was freed.
void release(void* block, const void* site);
/// Bytes from `p` to the end of the block in which it lies, freed or not; 0 outside any.
std::size_t block_size(const void* p);
/// Whether `p` is inside an arena: then free() and realloc() are release() and ours.
bool in_arena(const void* p);
/// At the end of a complete run: blocks that nothing reaches from the program's globals, the test's own thread_local
/// objects or other reachable blocks. Text that names each with its size and where it was allocated; empty if there is
/// none.
std::string leaks();

// ---- accesses
/// A plain access of `size` bytes by the running thread: race, use_after_free or dead-frame trouble ends the run.
void plain_read(const void* p, std::size_t size, const void* site);
void plain_write(const void* p, std::size_t size, const void* site);

/// An atomic access that the running thread is about to make, as its very next event: checks it against plain accesses
/// and the life of the block, remembers it, and returns the key of the atomic object there: address and generation, which
/// grows when a plain write overlaps it. Bit 47 of a key is never set. Two sizes at one place are misuse.
/// `reads`/`writes`: what it does; a compare-exchange, until it is known to succeed, only reads.
location atomic_access(const void* p, std::size_t size, bool reads, bool writes, const void* site);
/// The compare-exchange that the running thread made as its last events did write.
void atomic_exchanged(const void* p, std::size_t size, const void* site);

/// Text for reports: "byte 8 of the block of 24 bytes allocated by thread 1 at queue.hpp:31", "global `ready`".
std::string describe(const void* p);

// ---- what the memory asks of the run (scheduler.cpp): whose stack an address is in
/// Thread on whose stack `p` lies, or max_threads; `dead` if below its stack pointer (not the running thread) or ended.
thread_id stack_of(const void* p, bool* dead);

}  // namespace acqrel::model
