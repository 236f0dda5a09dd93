// What is executed where nobody waits and nothing is lost, one instruction after the other: none of them belongs to the probe.
// SPDX-License-Identifier: Apache-2.0
#include "../../src/observe/symbols.hpp"

#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/handoff/stack.hpp>
#include <acqrel/observe/contention.hpp>
#include <acqrel/observe/counter.hpp>
#include <acqrel/observe/registry.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__aarch64__)
#include <elf.h>
#include <sys/uio.h>
#endif

namespace {

#if defined(__x86_64__)
void mark() { asm volatile("int3" ::: "memory"); }
std::uintptr_t instruction_pointer(pid_t child) {
  user_regs_struct registers;
  return ptrace(PTRACE_GETREGS, child, nullptr, &registers) == 0 ? registers.rip : 0;
}
#elif defined(__aarch64__)
void mark() { raise(SIGTRAP); }
std::uintptr_t instruction_pointer(pid_t child) {
  user_regs_struct registers;
  iovec where{&registers, sizeof registers};
  return ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &where) == 0 ? registers.pc : 0;
}
#endif

struct executed {
  long instructions = 0;
  std::set<std::uintptr_t> addresses;
};

// Runs `body` in a process of its own, between two marks.
executed run(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    body();  // what only a first time does
    mark();
    body();
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  executed all;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP) << status;
  for (;;) {
    const std::uintptr_t at = instruction_pointer(child);
    if (at == 0) break;
    ++all.instructions;
    all.addresses.insert(at);
    if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) break;
  }
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  return all;
}

bool passes(const executed& all, const char* name) {
  const acqrel::symbols known;
  for (const std::uintptr_t at : all.addresses) {
    if (known.name(at).find(name) != std::string::npos) return true;
  }
  return false;
}
bool looks_at_the_probe(const executed& all) { return passes(all, "probe"); }

void nobody_waits() {
  static acqrel::fair_mutex fair;
  static acqrel::profiled<std::mutex> profiled;
  static acqrel::stack<int> stack;
  static acqrel::snapshot_source<int> source(std::make_unique<int>(1));
  { const std::lock_guard lock(fair); }
  { const std::lock_guard lock(profiled); }
  stack.push(1);
  if (stack.pop() != 1) std::abort();
  const auto guard = source.read();
  if (*guard != 1) std::abort();
}

TEST(hot_path, knows_nothing_of_the_probe) {
  const executed off = run(nobody_waits);
  EXPECT_GT(off.instructions, 50);
  EXPECT_FALSE(looks_at_the_probe(off));
  acqrel::contention::observe();
  const executed on = run(nobody_waits);
  acqrel::contention::ignore();
#if !defined(__SANITIZE_THREAD__)  // its runtime does now this, now that
  EXPECT_EQ(off.instructions, on.instructions);
#endif
  EXPECT_FALSE(looks_at_the_probe(on));
}

// The control: this would be seen.
TEST(hot_path, is_not_that_of_a_wait) {
  EXPECT_TRUE(looks_at_the_probe(run([] { const acqrel::probe_wait waiting(acqrel::probe::wait); })));
}

// C8
TEST(hot_path, of_a_count_takes_no_lock) {
  static acqrel::registry numbers;
  static acqrel::sharded_counter& served = numbers.counter("served_total", "");
  static acqrel::histogram& took = numbers.histogram("took_seconds", "", {0.1, 1});
  static acqrel::counter refused;
  const executed counts = run([] {
    served.add();
    refused.add();
    took.observe(0.5);
  });
  EXPECT_GT(counts.instructions, 10);
  EXPECT_FALSE(passes(counts, "mutex"));
  // The control: finding a series would be seen.
  EXPECT_TRUE(passes(run([] { numbers.counter("served_total", "").add(); }), "mutex"));
}

// A name costs a read nothing, and a source without one passes the books by.
TEST(hot_path, of_a_read_is_the_same_whether_the_source_is_named) {
  static acqrel::snapshot_source<int> named(acqrel::named{"hot"}, std::make_unique<int>(1));
  static acqrel::snapshot_source<int> unnamed(std::make_unique<int>(1));
  static acqrel::snapshot_source<int>* which;
  const auto reads = [] {
    const auto now = which->read();
    if (*now != 1) std::abort();
  };
  which = &named;
  const executed of_named = run(reads);
  which = &unnamed;
  const executed of_unnamed = run(reads);
  EXPECT_GT(of_named.instructions, 10);
#if !defined(__SANITIZE_THREAD__)
  EXPECT_EQ(of_named.instructions, of_unnamed.instructions);
  EXPECT_TRUE(of_named.addresses == of_unnamed.addresses);
#endif
  const auto publishes = [] { which->publish(std::make_unique<int>(1)); };
  EXPECT_FALSE(passes(run(publishes), "_published"));
  which = &named;
  EXPECT_TRUE(passes(run(publishes), "exchange_published"));
}

}  // namespace
