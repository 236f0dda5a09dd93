// SPDX-License-Identifier: Apache-2.0
#include "thread_storage.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <atomic>
#include <vector>

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "block_copy.hpp"
#include "fiber.hpp"
#include "modules.hpp"

/// The loader's: the block of a module in the calling thread, allocated if need be.
struct tls_index {
  std::size_t module;
  std::size_t offset;
};
extern "C" void* __tls_get_addr(tls_index*);

namespace acqrel::model {
namespace {

/// A thread_local block of checked code, and what a new thread finds there.
struct block {
  char* memory;
  const char* image;
  std::size_t image_size;
  std::size_t zeros;
};

struct sleeper {
  std::uint64_t thread_pointer = 0;
  int* error_number = nullptr;
  std::vector<block> blocks;
  char* first_block = nullptr;  ///< lowest of all modules
  std::atomic<bool> ready = false;
};
sleeper sleepers[max_threads];

/// libc's own may be interposed by the checker.
long system_call(long number) {
  long result = 0;
  asm volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
  return result;
}

/// Of a thread, before it sleeps: where everything is that hangs on its thread pointer.
void* lend(void* argument) {
  auto& mine = *static_cast<sleeper*>(argument);
  asm("movq %%fs:0, %0" : "=r"(mine.thread_pointer));
  mine.error_number = &errno;
  auto* const end = reinterpret_cast<char*>(mine.thread_pointer);
  mine.first_block = end;
  for (const module& m : modules()) {
    if (m.tls_id == 0) continue;
    tls_index whole{m.tls_id, 0};
    auto* const memory = static_cast<char*>(__tls_get_addr(&whole));
    if (memory >= reinterpret_cast<char*>(slots_begin) && memory < mine.first_block) mine.first_block = memory;
    if (m.part != module::role::other)
      mine.blocks.push_back({memory, m.tls_image.first, m.tls_image.size(), m.tls_size - m.tls_image.size()});
  }
  mine.ready.store(true, std::memory_order_release);
  for (;;) system_call(SYS_pause);
}

void map_slots() {
  void* const begin = reinterpret_cast<void*>(slots_begin);
  constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const got = mmap(begin, slots_end - slots_begin, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != begin)
    cannot_run("the addresses 0x200000000000 and up are taken: stacks of model threads must be there",
               "load nothing at fixed addresses, and do not limit address space (ulimit -v)");
  for (std::uintptr_t slot = slots_begin; slot < slots_end; slot += slot_size)
    if (mprotect(reinterpret_cast<void*>(slot + stack_begin), slot_size - stack_begin, PROT_READ | PROT_WRITE) != 0)
      cannot_run("no memory for the stacks of model threads", "free some");
  // A huge page for each stack would cost 2 MiB where a few kB are used.
  madvise(begin, slots_end - slots_begin, MADV_NOHUGEPAGE);
}

}  // namespace

void prepare_thread_storage() {
  std::size_t needed = 0;
  for (const module& m : modules()) needed += m.tls_size;
  if (needed > slot_size - stack_end - (256u << 10))
    cannot_run("thread_local objects of more than 1.7 MiB", "make them smaller, or pointers");
  map_slots();

  // The checker interposes pthread_create; this is the real one.
  const auto create = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  if (create == nullptr) cannot_run("no pthread_create in the C library", "link it dynamically");
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // the sleepers inherit it: no signal wakes them
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  for (unsigned t = 0; t < max_threads; ++t) {
    const std::uintptr_t stack = slots_begin + t * slot_size + stack_begin;
    pthread_attr_setstack(&attributes, reinterpret_cast<void*>(stack), slot_size - stack_begin);
    pthread_t thread{};
    if (create(&thread, &attributes, lend, &sleepers[t]) != 0)
      cannot_run("16 threads, for their thread-local storage, could not be made", "allow more processes (ulimit -u)");
    while (!sleepers[t].ready.load(std::memory_order_acquire)) system_call(SYS_sched_yield);
  }
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::uint64_t thread_pointer_of(thread_id t) { return sleepers[t].thread_pointer; }

void reset_thread_storage(thread_id t) {
  for (const block& b : sleepers[t].blocks) {
    copy_block(b.memory, b.image, b.image_size);
    clear_block(b.memory + b.image_size, b.zeros);
  }
  *sleepers[t].error_number = 0;
}

bool is_thread_local(const void* p, thread_id* owner) {
  const auto address = reinterpret_cast<std::uintptr_t>(p);
  *owner = max_threads;
  if (address < slots_begin || address >= slots_end) return false;
  const auto t = static_cast<thread_id>((address - slots_begin) / slot_size);
  if (p < sleepers[t].first_block) return false;
  *owner = t;
  return true;
}

bool is_on_stack(const void* p, thread_id* owner) {
  const auto address = reinterpret_cast<std::uintptr_t>(p);
  *owner = max_threads;
  if (address < slots_begin || address >= slots_end) return false;
  const std::uintptr_t within = (address - slots_begin) % slot_size;
  if (within < stack_begin || within >= stack_end) return false;
  *owner = static_cast<thread_id>((address - slots_begin) / slot_size);
  return true;
}

void cannot_run(const char* what, const char* remedy) {
  std::fprintf(stderr, "acqrel::model cannot run: %s; %s\n", what, remedy);
  std::fflush(stderr);
  std::_Exit(EXIT_FAILURE);
}

}  // namespace acqrel::model
