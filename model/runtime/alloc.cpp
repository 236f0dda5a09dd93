// malloc and operator new in all their forms. Checked code within a run gets its memory from the arenas; all others, the
// C library's own callers among them, get it from the C library.
// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "caller.hpp"
#include "fiber.hpp"
#include "memory.hpp"
#include "outside_blocks.hpp"
#include "run.hpp"

// The C library's own: there from the first instruction on, without a look-up that would itself allocate.
extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;
void __libc_free(void*) noexcept;
}

namespace acqrel::model {
namespace {

constexpr std::size_t usual_alignment = alignof(std::max_align_t);

/// Who asks for memory.
struct caller {
  const void* address;
  const void* frame;
  bool checked() const { return !native && from_checked_code(address); }
  const void* site() const { return caller_in_program(address, frame); }
};

bool possible(std::size_t size) { return size <= PTRDIFF_MAX; }

void* from_arena(std::size_t size, std::size_t alignment, const caller& who) {
  const checker_work work;
  return allocate(size, alignment, who.site());
}

/// A block of the C library's. What the program has of them when a check begins is put back before every run.
void* outside(void* p, const caller& who) {
  if (native && from_checked_code(who.address)) note_outside_block(p);
  return p;
}

void* get(std::size_t size, const caller& who) {
  return who.checked() && possible(size) ? from_arena(size, usual_alignment, who) : outside(__libc_malloc(size), who);
}

void* get_aligned(std::size_t size, std::size_t alignment, const caller& who) {
  return who.checked() && possible(size) ? from_arena(size, alignment, who)
                                         : outside(__libc_memalign(alignment, size), who);
}

bool in_an_object(const void* p) {
  bool dead = false;
  thread_id owner = max_threads;
  is_thread_local(p, &owner);
  return owner != max_threads || stack_of(p, &dead) != max_threads || is_global(p);
}

void put(void* p, const caller& who) {
  if (p == nullptr) return;
  const bool ours = in_arena(p);
  if (ours && native) return;  // of a run that is over: its blocks went with it
  if (!ours && !who.checked()) {
    forget_outside_block(p);
    return __libc_free(p);
  }
  // A block from before the check: the global that owns it will have it again in the next run. (One that the C library
  // made in this run, as strdup does, looks the same and is lost.)
  if (!ours && !in_an_object(p)) return;
  const checker_work work;
  release(p, who.site());
}

/// As realloc must be within a run: the old block is freed, the new one is somewhere else.
void* move_block(void* p, std::size_t size, const caller& who) {
  void* const moved = native || !possible(size) ? __libc_malloc(size) : from_arena(size, usual_alignment, who);
  if (moved == nullptr) return nullptr;
  const std::size_t kept = std::min(size, malloc_usable_size(p));
  if (!native) {
    const checker_work work;
    plain_read(p, kept, who.site());
    plain_write(moved, kept, who.site());
  }
  std::memcpy(moved, p, kept);
  put(p, who);
  return moved;
}

void* resize(void* p, std::size_t size, const caller& who) {
  if (p == nullptr) return get(size, who);
  if (in_arena(p) || who.checked()) return move_block(p, size, who);
  forget_outside_block(p);
  return outside(__libc_realloc(p, size), who);
}

/// As operator new must: as long as there is a handler, it may find some memory.
void* get_or_throw(std::size_t size, std::size_t alignment, const caller& who) {
  for (;;) {
    void* const p = alignment > usual_alignment ? get_aligned(size, alignment, who) : get(size, who);
    if (p != nullptr) return p;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void* get_or_null(std::size_t size, std::size_t alignment, const caller& who) noexcept {
  try {
    return get_or_throw(size, alignment, who);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace
}  // namespace acqrel::model

// Each is entered from outside, so that what stands below __builtin_return_address(0) is the caller.
#define ACQREL_CALLER (acqrel::model::caller{__builtin_return_address(0), __builtin_frame_address(0)})
#define ACQREL_EXPORTED __attribute__((visibility("default")))

using namespace acqrel::model;

extern "C" {

ACQREL_EXPORTED void* malloc(std::size_t size) noexcept { return get(size, ACQREL_CALLER); }

ACQREL_EXPORTED void* calloc(std::size_t count, std::size_t size) noexcept {
  const caller who = ACQREL_CALLER;
  std::size_t bytes = 0;
  if (!who.checked() || __builtin_mul_overflow(count, size, &bytes) || !possible(bytes))
    return outside(__libc_calloc(count, size), who);
  return std::memset(get(bytes, who), 0, bytes);
}

ACQREL_EXPORTED void* realloc(void* p, std::size_t size) noexcept { return resize(p, size, ACQREL_CALLER); }

ACQREL_EXPORTED void* reallocarray(void* p, std::size_t count, std::size_t size) noexcept {
  const caller who = ACQREL_CALLER;
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return resize(p, bytes, who);
}

ACQREL_EXPORTED void free(void* p) noexcept { put(p, ACQREL_CALLER); }

ACQREL_EXPORTED void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return get_aligned(size, alignment, ACQREL_CALLER);
}

ACQREL_EXPORTED void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return get_aligned(size, alignment, ACQREL_CALLER);
}

ACQREL_EXPORTED int posix_memalign(void** to, std::size_t alignment, std::size_t size) noexcept {
  if (alignment < sizeof(void*) || !std::has_single_bit(alignment)) return EINVAL;
  void* const p = get_aligned(size, alignment, ACQREL_CALLER);
  if (p == nullptr) return ENOMEM;
  *to = p;
  return 0;
}

ACQREL_EXPORTED std::size_t malloc_usable_size(void* p) noexcept {
  if (in_arena(p)) return block_size(p);
  static const auto of_libc = reinterpret_cast<std::size_t (*)(void*)>(dlsym(RTLD_NEXT, "malloc_usable_size"));
  return of_libc(p);
}

}  // extern "C"

// ---- operator new
ACQREL_EXPORTED void* operator new(std::size_t n) { return get_or_throw(n, usual_alignment, ACQREL_CALLER); }
ACQREL_EXPORTED void* operator new[](std::size_t n) { return get_or_throw(n, usual_alignment, ACQREL_CALLER); }
ACQREL_EXPORTED void* operator new(std::size_t n, std::align_val_t a) {
  return get_or_throw(n, static_cast<std::size_t>(a), ACQREL_CALLER);
}
ACQREL_EXPORTED void* operator new[](std::size_t n, std::align_val_t a) {
  return get_or_throw(n, static_cast<std::size_t>(a), ACQREL_CALLER);
}
ACQREL_EXPORTED void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  return get_or_null(n, usual_alignment, ACQREL_CALLER);
}
ACQREL_EXPORTED void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
  return get_or_null(n, usual_alignment, ACQREL_CALLER);
}
ACQREL_EXPORTED void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return get_or_null(n, static_cast<std::size_t>(a), ACQREL_CALLER);
}
ACQREL_EXPORTED void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return get_or_null(n, static_cast<std::size_t>(a), ACQREL_CALLER);
}

// ---- operator delete
ACQREL_EXPORTED void operator delete(void* p) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete[](void* p) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete(void* p, std::size_t) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete[](void* p, std::size_t) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete(void* p, std::align_val_t) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete[](void* p, std::align_val_t) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete(void* p, std::size_t, std::align_val_t) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete(void* p, const std::nothrow_t&) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete[](void* p, const std::nothrow_t&) noexcept { put(p, ACQREL_CALLER); }
ACQREL_EXPORTED void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept {
  put(p, ACQREL_CALLER);
}
ACQREL_EXPORTED void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept {
  put(p, ACQREL_CALLER);
}
