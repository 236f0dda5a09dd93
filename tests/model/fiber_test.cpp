// SPDX-License-Identifier: Apache-2.0
#include "model/runtime/fiber.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "fiber_library.hpp"
#include "model/runtime/modules.hpp"
#include "model/runtime/thread_storage.hpp"

// What the instrumented library calls. The checker is not in this program.
extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_read4(void*) {}
void __tsan_write4(void*) {}
}

namespace {

using namespace acqrel::model;
using ids = std::initializer_list<thread_id>;

fiber scheduler;
std::array<fiber, max_threads> threads;
std::array<std::function<void()>, max_threads> bodies;
std::array<bool, max_threads> ended;

void body(void* argument) {
  const auto t = static_cast<thread_id>(reinterpret_cast<std::uintptr_t>(argument));
  bodies[t]();
  ended[t] = true;
  for (;;) fiber::go(threads[t], scheduler);
}

void begin(thread_id t, std::function<void()> what) {
  bodies[t] = std::move(what);
  ended[t] = false;
  threads[t].begin(t, body, reinterpret_cast<void*>(std::uintptr_t{t}));
}

void resume(thread_id t) { fiber::go(scheduler, threads[t]); }
void yield(thread_id t) { fiber::go(threads[t], scheduler); }

/// Runs one body to its end, on a thread of its own.
void run(thread_id t, std::function<void()> what) {
  begin(t, std::move(what));
  resume(t);
  ASSERT_TRUE(ended[t]);
}

std::uint64_t thread_word(unsigned at) {
  std::uint64_t word = 0;
  asm volatile("movq %%fs:(%1), %0" : "=r"(word) : "r"(std::uint64_t{at}));
  return word;
}

class fibers : public testing::Test {
 protected:
  void SetUp() override { prepare_fibers(); }
};

int a_global = 42;
thread_local int counter = 7;
thread_local int* pointer = &a_global;  // its image needs relocation
thread_local int zeros[100];            // .tbss
int made = 0;
thread_local int constructed = [] { return ++made; }();

// ---- switching

TEST_F(fibers, run_in_turns_on_stacks_of_their_own) {
  std::string seen;
  for (thread_id t : ids{0, 1})
    begin(t, [&seen, t] {
      for (int i = 0; i < 3; ++i) {
        seen += static_cast<char>('a' + t);
        yield(t);
      }
    });
  for (int i = 0; i < 4; ++i) {
    resume(0);
    resume(1);
  }
  EXPECT_EQ(seen, "ababab");
  EXPECT_TRUE(ended[0] && ended[1]);
  EXPECT_LT(threads[0].stack_low(), threads[0].stack_pointer());
  EXPECT_LT(threads[0].stack_pointer(), threads[0].stack_high());
  EXPECT_LT(threads[0].stack_high(), threads[1].stack_low());
  EXPECT_EQ(scheduler.stack_low(), nullptr);
}

TEST_F(fibers, know_whose_stack_an_address_is_on) {
  for (unsigned t = 0; t < max_threads; ++t)
    run(static_cast<thread_id>(t), [t] {
      int here = 0;
      thread_id owner = 0;
      EXPECT_TRUE(is_on_stack(&here, &owner));
      EXPECT_EQ(owner, t);
      EXPECT_GE(reinterpret_cast<char*>(&here), threads[t].stack_low());
      EXPECT_LT(reinterpret_cast<char*>(&here), threads[t].stack_high());
      EXPECT_FALSE(is_thread_local(&here, &owner));
      EXPECT_EQ(owner, max_threads);
    });
  thread_id owner = 0;
  EXPECT_FALSE(is_on_stack(&owner, &owner));
  EXPECT_FALSE(is_on_stack(&a_global, &owner));
}

// A call needs the stack at a multiple of 16: printing a double stores vector registers there.
TEST_F(fibers, begin_on_an_aligned_stack) {
  for (unsigned t = 0; t < max_threads; ++t)
    run(static_cast<thread_id>(t), [] {
      char text[32];
      std::snprintf(text, sizeof text, "%.2f", 1.25);
      EXPECT_STREQ(text, "1.25");
    });
}

TEST_F(fibers, keep_a_million_switches_of_sixteen_apart) {
  constexpr unsigned rounds = 1'000'000 / max_threads;
  static std::array<std::uint64_t, max_threads> sums;
  sums = {};
  for (unsigned t = 0; t < max_threads; ++t)
    begin(static_cast<thread_id>(t), [t] {
      std::uint64_t sum = 0;  // in registers and on the stack, across the switches
      for (unsigned i = 0; i < rounds; ++i) {
        sum += i * (t + 1);
        ++counter;
        errno = static_cast<int>(t);
        fiber::go(threads[t], t + 1 < max_threads ? threads[t + 1] : threads[0]);
        ASSERT_EQ(errno, static_cast<int>(t));
      }
      sums[t] = sum;
      EXPECT_EQ(counter, 7 + static_cast<int>(rounds));
    });
  for (unsigned t = 0; t < max_threads; ++t) resume(static_cast<thread_id>(t));
  for (unsigned t = 0; t < max_threads; ++t) {
    EXPECT_TRUE(ended[t]) << t;
    EXPECT_EQ(sums[t], std::uint64_t{rounds} * (rounds - 1) / 2 * (t + 1)) << t;
  }
}

TEST_F(fibers, work_where_only_a_system_call_sets_the_thread_pointer) {
  switch_thread_pointer_by(thread_pointer_switch::system_call);
  int* const mine = &counter;
  for (thread_id t : ids{3, 5})
    begin(t, [t, mine] {
      int* const before = &counter;
      EXPECT_NE(before, mine);
      counter = t;
      errno = t;
      yield(t);
      EXPECT_EQ(counter, t);
      EXPECT_EQ(errno, t);
    });
  errno = 99;
  for (thread_id t : ids{3, 5, 3, 5}) {
    resume(t);
    EXPECT_EQ(errno, 99);
  }
  EXPECT_TRUE(ended[3] && ended[5]);
  switch_thread_pointer_by(thread_pointer_switch::instruction);
}

// ---- thread-local storage

TEST_F(fibers, begin_with_the_thread_locals_of_a_new_thread) {
  for (int turn = 0; turn < 3; ++turn)
    for (thread_id t : ids{0, 1, 15})
      run(t, [t] {
        EXPECT_EQ(counter, 7);
        EXPECT_EQ(pointer, &a_global);
        EXPECT_EQ(zeros[99], 0);
        EXPECT_EQ(errno, 0);
        const int before = made;
        EXPECT_EQ(constructed, before + 1);
        EXPECT_EQ(made, before + 1);
        EXPECT_EQ(*library_thread_local(), 20);
        thread_id owner = max_threads;
        for (const void* p : {static_cast<void*>(&counter), static_cast<void*>(&zeros[99]), static_cast<void*>(&errno),
                              static_cast<void*>(library_thread_local())}) {
          EXPECT_TRUE(is_thread_local(p, &owner)) << p;
          EXPECT_EQ(owner, t);
          EXPECT_FALSE(is_on_stack(p, &owner));
        }
        counter = 1;
        pointer = nullptr;
        zeros[99] = 1;
        errno = EINTR;
        *library_thread_local() = 0;
      });
}

TEST_F(fibers, leave_the_kernel_threads_own_thread_locals_alone) {
  counter = 1234;
  errno = ERANGE;
  run(0, [] { counter = 1; });
  EXPECT_EQ(errno, ERANGE);
  EXPECT_EQ(counter, 1234);
  thread_id owner = 0;
  EXPECT_FALSE(is_thread_local(&counter, &owner));
  EXPECT_EQ(owner, max_threads);
}

// Functions with a stack protector, and setjmp, compare with what stands behind the thread pointer.
TEST_F(fibers, share_the_process_canary_and_pointer_guard) {
  const std::uint64_t canary = thread_word(0x28), guard = thread_word(0x30);
  EXPECT_NE(canary, 0u);
  for (unsigned t = 0; t < max_threads; ++t)
    run(static_cast<thread_id>(t), [=] {
      EXPECT_EQ(thread_word(0x28), canary);
      EXPECT_EQ(thread_word(0x30), guard);
    });
}

TEST_F(fibers, are_threads_to_the_thread_library) {
  const pthread_t kernel = pthread_self();
  run(2, [kernel] {
    EXPECT_FALSE(pthread_equal(pthread_self(), kernel));
    thread_id owner = 0;
    EXPECT_TRUE(is_thread_local(reinterpret_cast<void*>(pthread_self()), &owner));
    EXPECT_EQ(owner, 2);
  });
  EXPECT_TRUE(pthread_equal(pthread_self(), kernel));
}

pthread_t interrupted;

TEST_F(fibers, take_no_signal_on_the_threads_they_borrow_from) {
  interrupted = {};
  struct sigaction count {
  }, before{};
  count.sa_handler = [](int) { interrupted = pthread_self(); };
  sigaction(SIGUSR1, &count, &before);
  kill(getpid(), SIGUSR1);
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_TRUE(pthread_equal(interrupted, pthread_self()));
}

// ---- exceptions

TEST_F(fibers, hold_exceptions_of_their_own) {
  for (thread_id t : ids{0, 1, 2})
    begin(t, [t] {
      const std::string mine = "of thread " + std::to_string(t);
      try {
        try {
          throw std::runtime_error(mine);
        } catch (const std::exception&) {
          yield(t);  // the others catch theirs meanwhile
          EXPECT_STREQ(
              [] {
                try {
                  throw;
                } catch (const std::exception& e) {
                  return std::string(e.what());
                }
              }()
                  .c_str(),
              mine.c_str());
          yield(t);
          throw;
        }
      } catch (const std::runtime_error& e) {
        EXPECT_EQ(e.what(), mine);
      }
      EXPECT_EQ(std::current_exception(), nullptr);
    });
  for (int i = 0; i < 3; ++i)
    for (thread_id t : ids{0, 1, 2}) resume(t);
  EXPECT_TRUE(ended[0] && ended[1] && ended[2]);
  EXPECT_EQ(std::current_exception(), nullptr);
}

TEST_F(fibers, begin_anew_without_the_exception_they_were_left_with) {
  for (int i = 0; i < 100; ++i) {
    begin(1, [] {
      try {
        try {
          throw 1;
        } catch (int) {
          struct switches_in_unwinding {
            ~switches_in_unwinding() { yield(1); }
          } now;
          throw 2;
        }
      } catch (int) {
      }
    });
    resume(1);
    ASSERT_FALSE(ended[1]);
  }
  run(1, [] {
    EXPECT_EQ(std::current_exception(), nullptr);
    EXPECT_EQ(std::uncaught_exceptions(), 0);
  });
}

TEST_F(fibers, end_the_unwinding_of_an_exception_nobody_catches) {
  static bool terminated;
  terminated = false;
  const std::terminate_handler before = std::set_terminate([] {
    terminated = true;
    EXPECT_THROW(std::rethrow_exception(std::current_exception()), std::logic_error);
    for (;;) yield(4);
  });
  begin(4, [] { throw std::logic_error("nobody"); });
  resume(4);
  std::set_terminate(before);
  EXPECT_TRUE(terminated);
  EXPECT_FALSE(ended[4]);
}

// ---- thousands of runs

// Each run leaves its fibers at a random depth: in plain frames, in a catch block, in a destructor.
TEST_F(fibers, are_left_anywhere_and_begun_again_ten_thousand_times) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand random(seed);
  struct frames {
    static int down(thread_id t, unsigned depth) {
      int local = t;
      yield(t);
      if (depth == 0) throw t;
      try {
        local += down(t, depth - 1);
      } catch (thread_id) {
        yield(t);
        throw;
      }
      return local;
    }
  };
  unsigned whole = 0;
  for (int turn = 0; turn < 10'000; ++turn) {
    for (thread_id t : ids{0, 1, 2, 3}) begin(t, [t] { EXPECT_THROW(frames::down(t, t), thread_id); });
    for (auto steps = random() % 24; steps != 0; --steps) resume(static_cast<thread_id>(random() % 4));
    for (thread_id t : ids{0, 1, 2, 3}) whole += ended[t];
  }
  EXPECT_GT(whole, 0u);
}

// ---- globals

int initialised[3] = {1, 2, 3};
int big[200'000];  // zeros, and clean but for a few words
const char* relocated = "first";
int calls = 0;
int function_static() {
  static int value = ++calls;
  return value;
}

TEST_F(fibers, put_globals_back_as_they_were) {
  big[70'000] = 5;
  remember_globals();
  for (int run = 0; run < 3; ++run) {
    initialised[1] = 99;
    big[0] = big[70'000] = big[199'999] = run + 1;
    relocated = "second";
    const int value = function_static();
    library_global = 0;
    restore_globals();
    ASSERT_EQ(value, 1);
    ASSERT_EQ(initialised[1], 2);
    ASSERT_EQ(big[0], 0);
    ASSERT_EQ(big[70'000], 5);
    ASSERT_EQ(big[199'999], 0);
    ASSERT_STREQ(relocated, "first");
    ASSERT_EQ(calls, 0);
    ASSERT_EQ(library_global, 10);
  }
  // What is remembered last counts.
  initialised[1] = 50;
  big[70'000] = 0;
  remember_globals();
  initialised[1] = 51;
  big[70'000] = 1;
  restore_globals();
  EXPECT_EQ(initialised[1], 50);
  EXPECT_EQ(big[70'000], 0);
}

TEST_F(fibers, know_what_is_global) {
  static const char* const read_only_after_relocation[] = {"a", "b"};
  static int local_static = 1;
  remember_globals();
  EXPECT_TRUE(is_global(&initialised[2]));
  EXPECT_TRUE(is_global(&big[199'999]));
  EXPECT_TRUE(is_global(&local_static));
  EXPECT_TRUE(is_global(&library_global));
  EXPECT_FALSE(is_global(static_cast<const void*>(read_only_after_relocation)));
  EXPECT_FALSE(is_global("text"));
  EXPECT_FALSE(is_global(&counter));
  EXPECT_FALSE(is_global(&errno));
  const auto on_heap = std::make_unique<int>(1);
  EXPECT_FALSE(is_global(on_heap.get()));
  int on_stack = 0;
  EXPECT_FALSE(is_global(&on_stack));
}

// ---- what is checked code

TEST_F(fibers, know_whose_calls_are_the_programs) {
  EXPECT_TRUE(is_program_code(reinterpret_cast<void*>(&body)));
  EXPECT_TRUE(is_program_code(reinterpret_cast<void*>(&library_step)));
  EXPECT_FALSE(is_program_code(&a_global));
  for (const module& m : modules()) {
    if (m.code.empty()) continue;
    const bool expected = m.name.empty() || m.name.find("libstdc++.so") != std::string::npos ||
                          m.name.find("model_fiber_library") != std::string::npos;
    EXPECT_EQ(is_program_code(m.code.front().first), expected) << m.name;
  }
}

// ---- crashes

struct {
  int count, signal;
  void* address;
  thread_id thread;
} crash;

void crashed(int signal, void* address) {
  int here = 0;
  thread_id owner = 0;
  EXPECT_FALSE(is_on_stack(&here, &owner)) << "the report needs a stack that is not the fiber's";
  EXPECT_TRUE(is_thread_local(&counter, &owner));
  crash = {crash.count + 1, signal, address, owner};
  for (;;) fiber::go(threads[owner], scheduler);
}

/// `enough` is more frames than any stack holds.
[[gnu::noinline]] int overflow(const volatile int* outer, int enough) {
  volatile int local[64] = {*outer};
  return enough == 0 ? 0 : overflow(local, enough - 1) + local[1];
}

TEST_F(fibers, report_a_crash_again_and_again) {
  catch_crashes(crashed);
  crash = {};
  auto* const nowhere = reinterpret_cast<volatile int*>(std::uintptr_t{0x40});
  for (int i = 1; i <= 200; ++i) {
    const auto t = static_cast<thread_id>(i % 16);
    begin(t, [nowhere] { *nowhere = 1; });
    resume(t);
    ASSERT_EQ(crash.count, i);
    ASSERT_EQ(crash.signal, SIGSEGV);
    ASSERT_EQ(crash.address, nowhere);
    ASSERT_EQ(crash.thread, t);
  }
  begin(1, [] { asm volatile("ud2"); });
  resume(1);
  EXPECT_EQ(crash.signal, SIGILL);
  begin(1, [] {
    volatile int hundred = 100, zero = 0;
    volatile int quotient = hundred / zero;
    static_cast<void>(quotient);
  });
  resume(1);
  EXPECT_EQ(crash.signal, SIGFPE);
  release_crashes();
  run(1, [] {});
}

TEST_F(fibers, report_the_overflow_of_a_stack_and_spare_its_neighbour) {
  catch_crashes(crashed);
  begin(6, [] {
    volatile int whole = 6;
    yield(6);
    EXPECT_EQ(whole, 6);
  });
  resume(6);
  begin(7, [] {
    volatile int outer = 0;
    overflow(&outer, 1'000'000);
  });
  resume(7);
  release_crashes();
  EXPECT_EQ(crash.signal, SIGSEGV);
  EXPECT_EQ(crash.thread, 7);
  EXPECT_LT(static_cast<const char*>(crash.address), threads[7].stack_low());
  EXPECT_GT(static_cast<const char*>(crash.address), threads[7].stack_low() - 4096);
  resume(6);
  EXPECT_TRUE(ended[6]);
}

TEST(fiber_crashes, are_not_reported_of_the_kernel_thread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto crash_between_runs = [] {
    prepare_fibers();
    catch_crashes([](int, void*) { _exit(0); });
    volatile std::uintptr_t nowhere = 0x40;
    *reinterpret_cast<volatile int*>(nowhere) = 1;
  };
  EXPECT_EXIT(crash_between_runs(), testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(fibers, leave_signals_as_they_found_them) {
  struct sigaction mine {
  }, now{};
  mine.sa_handler = SIG_IGN;
  struct sigaction before {};
  sigaction(SIGFPE, &mine, &before);
  catch_crashes(crashed);
  sigaction(SIGFPE, nullptr, &now);
  EXPECT_NE(now.sa_handler, SIG_IGN);
  release_crashes();
  sigaction(SIGFPE, &before, &now);
  EXPECT_EQ(now.sa_handler, SIG_IGN);
}

// ---- what it says where it cannot run

TEST(fiber_preparation, names_the_addresses_that_something_else_has) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a fresh process, that has no fibers yet
  const auto take_one_page_and_prepare = [] {
    mmap(reinterpret_cast<void*>(slots_begin + slot_size), 4096, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    prepare_fibers();
  };
  EXPECT_EXIT(take_one_page_and_prepare(), testing::ExitedWithCode(EXIT_FAILURE),
              "acqrel::model cannot run: the addresses 0x200000000000 and up are taken");
}

}  // namespace
