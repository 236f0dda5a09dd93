// Blocks of the arenas and the accesses remembered of their bytes: what blocks.cpp, shadow.cpp and races.cpp share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "../core/event.hpp"

namespace acqrel::model {

/// What an access does, as bits.
enum : std::uint8_t { reads_it = 1, writes_it = 2, atomically = 4, allocates_it = 8, frees_it = 16 };

/// Somebody was here: thread `thread`, after `when` events of its own.
struct access {
  const void* site = nullptr;
  std::uint32_t size = 0;  ///< of the whole access
  std::uint8_t how = 0;    ///< bits
  std::uint8_t bytes = 0;  ///< of a granule of 8
  thread_id thread = 0;
  std::uint8_t when = 0;

  bool writes() const { return (how & writes_it) != 0; }
  bool atomic() const { return (how & atomically) != 0; }
  bool happens_before(thread_id other, const clock& now) const { return thread == other || now[thread] > when; }
};

struct block {
  char* start = nullptr;
  std::size_t size = 0;
  std::size_t room = 0;  ///< size rounded up: what a block that takes its place may need
  bool freed = false;
  access made, ended;  ///< its allocation; once freed, its free

  bool contains(const void* p) const { return p >= start && p < start + size; }
};

/// Of this run, by address.
const std::vector<block>& blocks_of(thread_id t);
/// The last block of the arena that starts at or before `p`, or the first one that starts after it; or nothing.
const block* block_before(const void* p);
const block* block_after(const void* p);

// ---- of the shadow
/// What the running thread does now; `how` of bits.
access access_by_self(std::size_t size, unsigned how, const void* site);
void forget_accesses();
/// Checks a free against every access to the block; from now on none of its bytes may be touched.
void end_block(const block&);
/// The block begins a new life in the same place.
void renew_block(const block&);

inline std::string plural(std::size_t n, const char* one) {
  return std::to_string(n) + " " + one + (n == 1 ? "" : "s");
}

// ---- reports, which end the run
[[noreturn]] void report_race(const access& now, const access& before, const void* p);
/// An access to bytes of an arena that are not in a living block.
[[noreturn]] void report_outside(const access& now, const void* p);
[[noreturn]] void report_dead_frame(const access& now, const void* p, thread_id owner);
[[noreturn]] void report_mixed_sizes(const access& now, std::size_t other_size, const access* other, const void* p);

}  // namespace acqrel::model
