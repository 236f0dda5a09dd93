// Everything else that g++ and clang++ call in code compiled with -fsanitize=thread: plain accesses, function entries, and
// what has nothing to say to this checker.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "memory.hpp"
#include "scheduler.hpp"
#include "watch.hpp"

// Called by compiled programs only: no header declares them.
#pragma GCC diagnostic ignored "-Wmissing-declarations"

#define ACQREL_VISIBLE extern "C" __attribute__((visibility("default")))
#define ACQREL_SITE __builtin_return_address(0)

using namespace acqrel::model;

bool acqrel::model::instrumented_code = false;

namespace {

void reads(const void* p, std::size_t size, const void* site) {
  if (native) return;
  const checker_work work;
  if (silence_is_due) [[unlikely]]
    look_for_silence(site);
  plain_read(p, size, site);
}

void writes(const void* p, std::size_t size, const void* site) {
  if (native) return;
  const checker_work work;
  if (silence_is_due) [[unlikely]]
    look_for_silence(site);
  plain_write(p, size, site);
}

}  // namespace

#define ACQREL_ACCESS(size)                                                                                           \
  ACQREL_VISIBLE void __tsan_read##size(void* p) { reads(p, size, ACQREL_SITE); }                                     \
  ACQREL_VISIBLE void __tsan_write##size(void* p) { writes(p, size, ACQREL_SITE); }                                   \
  ACQREL_VISIBLE void __tsan_read##size##_pc(void* p, void* site) { reads(p, size, site); }                           \
  ACQREL_VISIBLE void __tsan_write##size##_pc(void* p, void* site) { writes(p, size, site); }                         \
  ACQREL_VISIBLE void __tsan_volatile_read##size(void* p) { reads(p, size, ACQREL_SITE); }                            \
  ACQREL_VISIBLE void __tsan_volatile_write##size(void* p) { writes(p, size, ACQREL_SITE); }                          \
  ACQREL_VISIBLE void __tsan_unaligned_read##size(void* p) { reads(p, size, ACQREL_SITE); }                           \
  ACQREL_VISIBLE void __tsan_unaligned_write##size(void* p) { writes(p, size, ACQREL_SITE); }                         \
  ACQREL_VISIBLE void __tsan_unaligned_volatile_read##size(void* p) { reads(p, size, ACQREL_SITE); }                  \
  ACQREL_VISIBLE void __tsan_unaligned_volatile_write##size(void* p) { writes(p, size, ACQREL_SITE); }                \
  ACQREL_VISIBLE void __tsan_read_write##size(void* p) { reads(p, size, ACQREL_SITE), writes(p, size, ACQREL_SITE); } \
  ACQREL_VISIBLE void __tsan_unaligned_read_write##size(void* p) {                                                    \
    reads(p, size, ACQREL_SITE), writes(p, size, ACQREL_SITE);                                                        \
  }

ACQREL_ACCESS(1)
ACQREL_ACCESS(2)
ACQREL_ACCESS(4)
ACQREL_ACCESS(8)
ACQREL_ACCESS(16)

ACQREL_VISIBLE void __tsan_read_range(void* p, std::size_t size) { reads(p, size, ACQREL_SITE); }
ACQREL_VISIBLE void __tsan_write_range(void* p, std::size_t size) { writes(p, size, ACQREL_SITE); }
ACQREL_VISIBLE void __tsan_read_range_pc(void* p, std::size_t size, void* site) { reads(p, size, site); }
ACQREL_VISIBLE void __tsan_write_range_pc(void* p, std::size_t size, void* site) { writes(p, size, site); }

// A destructor sets the pointer to the functions of its own class, which is mostly there already: no write then.
ACQREL_VISIBLE void __tsan_vptr_update(void** p, void* to) {
  if (*p != to) writes(p, sizeof *p, ACQREL_SITE);
}
ACQREL_VISIBLE void __tsan_vptr_read(void** p) { reads(p, sizeof *p, ACQREL_SITE); }

ACQREL_VISIBLE void __tsan_func_entry(void*) {
  if (!native) loops_of_running().enter(static_cast<char*>(__builtin_frame_address(0)) + 16);
}
ACQREL_VISIBLE void __tsan_func_exit() {
  if (!native) loops_of_running().leave();
}

// Called as each instrumented file of the program is loaded.
ACQREL_VISIBLE void __tsan_init() { acqrel::model::instrumented_code = true; }
ACQREL_VISIBLE void __tsan_ignore_thread_begin() {}
ACQREL_VISIBLE void __tsan_ignore_thread_end() {}

// Notes to ThreadSanitizer about locks that are made of atomic operations: here the operations speak for themselves.
ACQREL_VISIBLE void __tsan_acquire(void*) {}
ACQREL_VISIBLE void __tsan_release(void*) {}
ACQREL_VISIBLE void __tsan_mutex_create(void*, unsigned) {}
ACQREL_VISIBLE void __tsan_mutex_destroy(void*, unsigned) {}
ACQREL_VISIBLE void __tsan_mutex_pre_lock(void*, unsigned) {}
ACQREL_VISIBLE void __tsan_mutex_post_lock(void*, unsigned, int) {}
ACQREL_VISIBLE int __tsan_mutex_pre_unlock(void*, unsigned) { return 0; }
ACQREL_VISIBLE void __tsan_mutex_post_unlock(void*, unsigned) {}
ACQREL_VISIBLE void __tsan_mutex_pre_signal(void*, unsigned) {}
ACQREL_VISIBLE void __tsan_mutex_post_signal(void*, unsigned) {}
ACQREL_VISIBLE void __tsan_mutex_pre_divert(void*, unsigned) {}
ACQREL_VISIBLE void __tsan_mutex_post_divert(void*, unsigned) {}
ACQREL_VISIBLE void AnnotateHappensBefore(const char*, int, const volatile void*) {}
ACQREL_VISIBLE void AnnotateHappensAfter(const char*, int, const volatile void*) {}
ACQREL_VISIBLE void AnnotateIgnoreReadsBegin(const char*, int) {}
ACQREL_VISIBLE void AnnotateIgnoreReadsEnd(const char*, int) {}
ACQREL_VISIBLE void AnnotateIgnoreWritesBegin(const char*, int) {}
ACQREL_VISIBLE void AnnotateIgnoreWritesEnd(const char*, int) {}
ACQREL_VISIBLE void AnnotateBenignRaceSized(const char*, int, const volatile void*, std::size_t, const char*) {}
