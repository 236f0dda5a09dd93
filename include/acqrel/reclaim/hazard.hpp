// acqrel/reclaim/hazard.hpp - the domain behind every read: who holds what, and when it may die.
//
//   acqrel::hazard_cell cell;                              // holds a hazard_object, or nothing
//   acqrel::hazard_protection p = acqrel::hazard_protect(cell);  // any thread, wait-free
//   use(p.object);
//   acqrel::hazard_release(p);                             // the same thread
//   acqrel::hazard_replace(cell, next);                    // any thread; the old one dies promptly
//
// Publishes  the object last given to hazard_replace(), and everything its caller did before.
// Edges      hazard.publish   replace -> protect's reload        the object behind the pointer
//            hazard.protect   slot, then cell | cell, then slots  the scan sees the slot or the
//                             reader sees the new pointer (store buffering)
//            hazard.clear     slot changes -> scan                every use of what it held
//            hazard.given     scan -> release, release -> scan    a counted reference, handed over
//            hazard.refs      drop -> last drop                   every use, before the destructor
//            hazard.retired   retire -> scan                      the list, and "out of its cell"
//            hazard.slow      announce, then cell | cell, then announcements (store buffering)
//            hazard.request   ask -> answer -> confirm            one counted reference, or "alone"
//            hazard.record    a record's last owner -> its next; a new record -> scans
// Progress   protect and release wait-free: at most 58 memory operations whatever others do, plus
//            the destructor of what they are the last to hold (docs/explain/heart.md counts them);
//            a thread's first protect also allocates. replace lock-free.
// Memory     256 bytes for each thread alive at once, never freed, and up to 256 spare headers. An
//            object costs 32 bytes.
//            Waiting to die: what guards hold, one version for a reader stalled anywhere, and at
//            most 1,024 versions a publishing thread between two scans. A thread that takes nodes
//            out of data structures keeps up to 1,024 of 64 bytes to use again.
// Threads    a protection is released by the thread that took it. Signal handlers may protect and
//            release on a thread that has protected before (hazard_signal_scope). fork: the child
//            keeps its own thread's protections; counted references of the others leak.
// Errors     none; the process ends, saying so, when 256 bytes for a thread cannot be had.
// Cost       protect and release: 6 plain memory operations, no locked one. Bench snapshot_source/read.
// Model      tests/reclaim/hazard_model.cpp, every edge also weakened; tests/twins.
// Not for    application code: use snapshot_source. Data structures build on this header.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/asymmetric_fence.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace acqrel {

class publication;

/// The header in front of everything that may be retired. A reference is owned by exactly one
/// of: a cell, the retired list or a scan that took it, a counted pointer, an answered request, a
/// `given` word.
/// Whoever drops the last one destroys the object.
class hazard_object {
 public:
  using destroyer = void (*)(hazard_object*) noexcept;

  /// One reference, owned by the caller. `value` is what value() shall say.
  constexpr hazard_object(destroyer destroy, const void* value) noexcept : destroy_(destroy), value_(value) {}
  hazard_object(const hazard_object&) = delete;
  hazard_object& operator=(const hazard_object&) = delete;

  [[nodiscard]] const void* value() const noexcept { return value_; }

  /// Adds a reference; the caller owns one or protects the object.
  void add_reference() noexcept {
    // plain: the caller's own reference or protection orders it, as in shared_ptr
    references_.fetch_add(1, std::memory_order_relaxed);
  }
  /// Drops the caller's reference; the last drop destroys, on a flat stack.
  void drop_reference() noexcept;

 private:
  friend struct hazard_domain;
  friend void hazard_retire_lazily(hazard_object*) noexcept;
  friend struct hazard_nothing_type;
  constexpr hazard_object() noexcept : references_(std::uint64_t{1} << 62), destroy_(nullptr), value_(nullptr) {}

  std::atomic<std::uint64_t> references_{1};
  hazard_object* next_ = nullptr;  // in the retired list, then in the scan that took it, then on `dead`
  destroyer destroy_;
  const void* value_;
};
static_assert(sizeof(hazard_object) == 32);
static_assert(std::atomic<hazard_object*>::is_always_lock_free);

/// What an empty cell holds: never retired, its references never run out.
struct hazard_nothing_type : hazard_object {
  constexpr hazard_nothing_type() noexcept = default;
};
extern constinit hazard_nothing_type hazard_nothing;

/// An atomic pointer with an owner's reference in it. Its publishers answer stuck readers, which
/// makes hazard_protect wait-free. This one is for where there are many, that share cache lines.
struct hazard_packed_cell {
  constexpr hazard_packed_cell() noexcept = default;
  constexpr explicit hazard_packed_cell(hazard_object* first) noexcept : current(first) {}

  std::atomic<hazard_object*> current{&hazard_nothing};  // written by publishers only
  mutable std::atomic<std::uint32_t> slow{0};            // readers in the slow lane; nearly always 0
  std::atomic<std::uint32_t> turn{0};                    // spare word for the owner: writers only
};
static_assert(sizeof(hazard_packed_cell) == 16);
/// The same, with a cache line to itself.
struct alignas(64) hazard_cell : hazard_packed_cell {
  using hazard_packed_cell::hazard_packed_cell;

  publication* books = nullptr;  // of a named snapshot_source; set before it is shared
};

/// What one thread holds: four slots, and beside each a word in which a scan hands over a
/// counted reference. slot i is word[i], its `given` is word[i + 4], in the same cache line.
struct alignas(64) hazard_slots {
  std::atomic<hazard_object*> word[8];
};

struct alignas(128) hazard_record {
  hazard_slots guards;    // slots written by the owning thread, `given` also by scans
  hazard_slots internal;  // slot 0: counting and answering; slot 1: the same in a signal handler

  std::atomic<std::uintptr_t> request{0};  // 0 | generation << 2 | 1: asked | object | 2: answered
  std::atomic<const hazard_packed_cell*> request_cell{nullptr};
  std::atomic<bool> in_use{true};
  std::atomic<std::int32_t> thread{0};  // whose record it is or was last, as the kernel numbers threads
  hazard_record* next = nullptr;        // immutable once the record is in the list
  // Owned by the thread that uses the record, and its signal handlers.
  std::uintptr_t generation = 0;
  std::uint32_t pending = 0;            // retired since this thread's last scan
  std::uint16_t spares = 0;             // how many headers wait in `spare`
  std::atomic<bool> destroying{false};  // a destructor runs below: others queue on `dead`
  std::atomic<hazard_object*> dead{nullptr};
  void* spare = nullptr;          // memory of objects without a value inside, to be used again: linked through itself
  void* spare_node = nullptr;     // the same, of 64 bytes
  hazard_object* lazy = nullptr;  // retired lazily, newest first; this thread's next scan takes them
  hazard_object* oldest_lazy = nullptr;  // its end, if there is one
  std::uint32_t lazy_left = 0;           // how many more are retired lazily before the next scan; 0 in `nobody`
  std::uint16_t node_room = 0;           // how many more nodes may become spare
};
static_assert(sizeof(hazard_record) == 256);

/// This thread's record; until the thread has protected something, one whose slots are all taken.
extern constinit thread_local hazard_record* hazard_this_thread [[gnu::tls_model("initial-exec")]];

/// A protected object, and where the protection stands: the address of the slot; with bit 0, a
/// counted reference and no slot; with bit 1, a slot in full mode.
struct hazard_protection {
  hazard_object* object;
  std::uintptr_t where;
};

/// Protects what `cell` holds now, until hazard_release on the same thread.
[[nodiscard]] hazard_protection hazard_protect(const hazard_packed_cell& cell) noexcept;
/// Ends a protection; destroys the object if it was replaced and nobody else holds it.
void hazard_release(hazard_protection protection) noexcept;

/// Puts `next`, and the caller's reference on it, into `cell`; retires what it held.
void hazard_replace(hazard_packed_cell& cell, hazard_object* next) noexcept;
/// The same, and returns what the cell held with a reference for the caller.
[[nodiscard]] hazard_object* hazard_exchange(hazard_packed_cell& cell, hazard_object* next) noexcept;
/// The same if `cell` holds `expected`, which the caller protects or has counted.
[[nodiscard]] bool hazard_compare_exchange(hazard_packed_cell& cell, hazard_object* expected,
                                           hazard_object* next) noexcept;

/// Takes out what `cell` holds, and the cell's reference on it: the caller retires it, since others may still protect it.
[[nodiscard]] hazard_object* hazard_take(hazard_packed_cell& cell, hazard_object* next) noexcept;
/// The same if `cell` holds `expected`, which the caller protects or has counted: so the address has not been used again.
[[nodiscard]] bool hazard_unlink(hazard_packed_cell& cell, hazard_object* expected, hazard_object* next) noexcept;

/// Hands over one reference of an object that no cell holds any more.
void hazard_retire(hazard_object* object) noexcept;
/// The same for mere memory, for whose end nobody waits: no shared line is written. It waits with up to 1,024 others for a
/// scan by this thread, or for the thread's end.
void hazard_retire_lazily(hazard_object* object) noexcept;

/// Scans now: everything retired before the call is destroyed, or left to the guards and counted
/// pointers that hold it, or in the hands of a scan that another thread has under way; but not what
/// other threads retired lazily. Readers never wait for it. Call it after a burst of publishes that
/// nothing will follow.
void drain() noexcept;

/// Memory for a hazard_object whose value is elsewhere; a thread keeps some that it freed.
[[nodiscard]] void* hazard_allocate_header();
void hazard_free_header(void* header) noexcept;
/// The same for a node of a data structure: hazard_node_size bytes, aligned as by operator new.
inline constexpr std::size_t hazard_node_size = 64;
[[nodiscard]] void* hazard_allocate_node();
void hazard_free_node(void* node) noexcept;

/// Opened by a signal handler before it reads: a value that the handler is the last to let go of
/// is then destroyed later, by ordinary code of the same thread (its next release of a last
/// reference, scan, or exit), and not in the handler, where a destructor may deadlock.
class hazard_signal_scope {
 public:
  hazard_signal_scope() noexcept;
  ~hazard_signal_scope();
  hazard_signal_scope(const hazard_signal_scope&) = delete;
  hazard_signal_scope& operator=(const hazard_signal_scope&) = delete;

 private:
  hazard_record* record_;  // null if the interrupted code already queues
};

// ------------------------------------------------------------------------ Implementation

/// The ways out of the fast lane, in src/reclaim/hazard.cpp.
[[gnu::noinline]] hazard_protection hazard_protect_elsewhere(const hazard_packed_cell& cell) noexcept;
[[gnu::noinline]] hazard_protection hazard_protect_again(const hazard_packed_cell& cell) noexcept;
[[gnu::noinline]] void hazard_take_given(std::uintptr_t where) noexcept;
[[gnu::cold, gnu::noinline]] void hazard_answer(const hazard_packed_cell& cell) noexcept;
[[gnu::cold, gnu::noinline]] void hazard_retire_last_of_batch(hazard_object* object) noexcept;
[[gnu::noinline]] void hazard_release_elsewhere(hazard_object* object, std::uintptr_t where) noexcept;

// Only the asymmetric mode comes past the first test: in full mode slot 0 is always taken.
inline hazard_protection hazard_protect(const hazard_packed_cell& cell) noexcept {
  hazard_record* const record = std::assume_aligned<128>(hazard_this_thread);
  std::atomic<hazard_object*>& slot = record->guards.word[0];
  // plain: only this thread writes the slot
  if (slot.load(std::memory_order_relaxed) == nullptr) [[likely]] {
    // plain: a guess; the reload decides, and it acquires
    hazard_object* const seen = cell.current.load(std::memory_order_relaxed);
    // edge hazard.clear: release  a scan that reads this value also sees the uses of the one before it
    slot.store(seen, std::memory_order_release);
    compiler_fence();
    // edge hazard.publish: acquire
    if (cell.current.load(std::memory_order_acquire) == seen) [[likely]] {
      return {seen, reinterpret_cast<std::uintptr_t>(&slot)};
    }
    return hazard_protect_again(cell);
  }
  return hazard_protect_elsewhere(cell);
}

inline void hazard_release(hazard_protection protection) noexcept {
  if ((protection.where & 3) != 0) [[unlikely]] {
    hazard_release_elsewhere(protection.object, protection.where);
    return;
  }
  std::atomic<hazard_object*>* const slot = reinterpret_cast<std::atomic<hazard_object*>*>(protection.where);
  // edge hazard.clear: release
  slot->store(nullptr, std::memory_order_release);
  compiler_fence();
  // plain: a look; hazard_take_given acquires
  if (slot[4].load(std::memory_order_relaxed) != nullptr) [[unlikely]]
    hazard_take_given(protection.where);
}

inline bool hazard_unlink(hazard_packed_cell& cell, hazard_object* expected, hazard_object* next) noexcept {
  // edge hazard.publish: seq_cst  shape SB, as in hazard_take
  // edge hazard.slow: seq_cst  shape SB
  // plain: the value found is not used
  if (!cell.current.compare_exchange_strong(expected, next, std::memory_order_seq_cst, std::memory_order_relaxed)) {
    return false;
  }
  // edge hazard.slow: seq_cst  shape SB
  if (cell.slow.load(std::memory_order_seq_cst) != 0) [[unlikely]]
    hazard_answer(cell);
  return true;
}

inline void hazard_retire_lazily(hazard_object* object) noexcept {
  hazard_record& me = *hazard_this_thread;
  if (me.lazy_left == 0) [[unlikely]]
    return hazard_retire_last_of_batch(object);
  if (me.lazy == nullptr) me.oldest_lazy = object;
  object->next_ = me.lazy;
  me.lazy = object;
  --me.lazy_left;
}

inline void* hazard_allocate_node() {
  hazard_record& me = *hazard_this_thread;
  void* const node = me.spare_node;
  if (node == nullptr) [[unlikely]]
    return ::operator new(hazard_node_size);
  me.spare_node = *static_cast<void**>(node);
  ++me.node_room;
  return node;
}

inline void hazard_free_node(void* node) noexcept {
  hazard_record& me = *hazard_this_thread;
  if (me.node_room == 0) [[unlikely]]
    return ::operator delete(node);
  *static_cast<void**>(node) = me.spare_node;
  me.spare_node = node;
  --me.node_room;
}

}  // namespace acqrel
