// What the memory has to say: every text names the access, who made it and where, of what, and what to do about it.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>

#include "../report/report.hpp"
#include "blocks.hpp"
#include "fiber.hpp"
#include "memory.hpp"
#include "sites.hpp"
#include "symbols.hpp"

namespace acqrel::model {
namespace {

std::string where(const access& a) { return "thread " + std::to_string(a.thread) + " at " + site_of(a.site).brief(); }

/// "4-byte write by thread 1 at queue.hpp:31"
std::string what(const access& a) {
  const std::string bytes = std::to_string(a.size) + "-byte ";
  if ((a.how & allocates_it) != 0) return "allocation by " + where(a);
  if ((a.how & frees_it) != 0) return "free by " + where(a);
  const bool reads = (a.how & reads_it) != 0;
  const std::string way = !a.atomic()   ? a.writes() ? "write" : "read"
                          : !a.writes() ? "atomic load"
                          : reads       ? "atomic read-modify-write"
                                        : "atomic store";
  return bytes + way + " by " + where(a);
}

/// "the block of 24 bytes allocated by thread 1 at queue.hpp:31, freed by thread 2 at queue.hpp:40"
std::string what(const block& b) {
  return "the block of " + plural(b.size, "byte") + " allocated by " + where(b.made) +
         (b.freed ? ", freed by " + where(b.ended) : "");
}

/// Shows it in the printed execution.
void show(const access& a) {
  const char* const way = (a.how & frees_it) != 0       ? "frees it"
                          : (a.how & allocates_it) != 0 ? "allocates it"
                          : a.atomic()                  ? (a.writes() ? "atomic write" : "atomic read")
                          : a.writes()                  ? "writes"
                                                        : "reads";
  const bool block = (a.how & (frees_it | allocates_it)) != 0;
  add_mark({a.thread, a.when, block ? way : way + (" " + plural(a.size, "byte")), a.site});
}

std::string offset_in(std::ptrdiff_t offset) { return offset == 0 ? "" : "byte " + std::to_string(offset) + " of "; }

std::string hexadecimal(const void* p) {
  std::string digits;
  for (auto n = reinterpret_cast<std::uintptr_t>(p); n != 0 || digits.empty(); n /= 16)
    digits.insert(digits.begin(), "0123456789abcdef"[n % 16]);
  return "0x" + digits;
}

std::string in_block(const void* p) {
  const char* const at = static_cast<const char*>(p);
  const block* const before = block_before(p);
  const block* const after = block_after(p);
  if (before != nullptr && at < before->start + before->size) return offset_in(at - before->start) + what(*before);
  const std::ptrdiff_t behind =
      before == nullptr ? PTRDIFF_MAX : at - before->start - static_cast<std::ptrdiff_t>(before->size);
  const std::ptrdiff_t ahead = after == nullptr ? PTRDIFF_MAX : after->start - at;
  if (before != nullptr && behind <= ahead)
    return (behind == 0 ? "what stands right behind "
                        : "what stands " + plural(static_cast<std::size_t>(behind), "byte") + " behind ") +
           what(*before);
  if (after != nullptr)
    return "what stands " + plural(static_cast<std::size_t>(ahead), "byte") + " before " + what(*after);
  return "memory that no block was ever in";
}

}  // namespace

std::string describe(const void* p) {
  if (in_arena(p)) return in_block(p) + " (" + hexadecimal(p) + ")";
  bool dead = false;
  if (const thread_id owner = stack_of(p, &dead); owner != max_threads)
    return std::string(dead ? "a dead frame on the stack of thread " : "a local variable of thread ") +
           std::to_string(owner) + " (" + hexadecimal(p) + ")";
  thread_id owner = max_threads;
  if (is_thread_local(p, &owner); owner != max_threads)
    return "a thread_local object of thread " + std::to_string(owner) + " (" + hexadecimal(p) + ")";
  if (const std::string name = global_at(p); !name.empty()) return name + " (" + hexadecimal(p) + ")";
  return (is_global(p) ? "a global object (" : "memory (") + hexadecimal(p) + ")";
}

void report_race(const access& now, const access& before, const void* p) {
  show(before);
  show(now);
  const char* const lines = "\n  ";
  if ((now.how & frees_it) != 0 && (before.how & allocates_it) == 0)
    fail(trouble_kind::use_after_free,
         what(now) + " of " + describe(p) + lines + "while somebody may still use it: " + what(before) + lines +
             "does not happen before the free, so in another execution it comes after." + lines +
             "Let the access happen before the free: by a join, a lock, a reference count with release and acquire, or "
             "a "
             "hazard pointer.",
         now.site);
  fail(trouble_kind::race,
       what(before) + lines + "and " + what(now) + lines + "of " + describe(p) + lines +
           "are not ordered by happens-before." + lines +
           "Order them with a release/acquire edge or a lock, or make the object atomic.",
       now.site);
}

void report_outside(const access& now, const void* p) {
  const block* const b = block_before(p);
  const bool freed = b != nullptr && b->freed && b->contains(p);
  if (freed) show(b->ended);
  show(now);
  fail(trouble_kind::use_after_free,
       what(now) + " to " + describe(p) +
           (freed ? "\n  It must live as long as anybody may use it: free it only after the last access happened, by a "
                    "join, a "
                    "lock, a reference count or a hazard pointer."
                  : "\n  No living block is there: look for an index or a size that is too large, or a pointer that "
                    "was never set."),
       now.site);
}

void report_dead_frame(const access& now, const void* p, thread_id owner) {
  show(now);
  fail(trouble_kind::use_after_free,
       what(now) + " to " + describe(p) + "\n  Its function has returned. Let thread " + std::to_string(owner) +
           " wait there until the last access happened, or put the object where it lives longer.",
       now.site);
}

void report_mixed_sizes(const access& now, std::size_t other_size, const access* other, const void* p) {
  fail(trouble_kind::misuse,
       "mixed-size atomic access (" + std::to_string(now.size) + " and " + std::to_string(other_size) +
           " bytes): " + what(now) + " to " + describe(p) + (other == nullptr ? "" : "\n  after the " + what(*other)) +
           "\n  C++ has no such thing: one atomic object has one size. Use one type for all accesses.",
       now.site);
}

}  // namespace acqrel::model
