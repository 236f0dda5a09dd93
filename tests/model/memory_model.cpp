// Plain memory of native programs: races, lives of blocks, and what every way to allocate and to copy looks like from within.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// Not in the unnamed namespace: a compiler that sees all uses leaves out stores that nobody reads.
std::vector<std::unique_ptr<int>>* kept = nullptr;
thread_local int* mine = nullptr;

namespace {

using acqrel::model::check;
using acqrel::model::options;
using acqrel::model::result;

/// What the checker says of two threads, the second of which is `other`.
result together(const options& how, void (*first)(), void (*other)()) {
  return check(how, [=] {
    std::thread t(other);
    first();
    t.join();
  });
}

// ---- races ----

std::string text;
std::array<char, 64> bytes;
std::atomic<bool> done;

TEST(memory, a_string_that_two_threads_append_to) {
  const auto append = [] { text += "more than what fits into a short string"; };
  const result r = together({.name = "string"}, append, append);
  EXPECT_EQ(r.trouble, "data race");
  EXPECT_NE(r.message.find("memory_model.cpp:"), std::string::npos) << r.message;
  std::puts(r.message.c_str());
}

TEST(memory, a_string_handed_over) {
  const result r = check([] {
    std::thread writer([] {
      text = "written by one thread, far too long for a short string";
      done.store(true, std::memory_order_release);
    });
    if (done.load(std::memory_order_acquire)) {
      text += ", read by another";
      acqrel::model::expect(text.size() > 60);
    }
    writer.join();
  });
  EXPECT_TRUE(r.passed()) << r.report();
  EXPECT_EQ(r.executions, 2u);
}

void clear() { std::memset(bytes.data(), 0, bytes.size()); }
void clear_last() { std::memset(bytes.data() + 63, 1, 1); }
void clear_first_half() { std::memset(bytes.data(), 1, 32); }
void copy_second_half() { std::memcpy(bytes.data() + 32, "0123456789abcdef0123456789abcdef", 32); }
void move_up() { std::memmove(bytes.data() + 8, bytes.data(), 32); }
void compare_end() {
  std::array<char, 8> zeros{};
  static volatile std::size_t size = 8;
  acqrel::model::expect(std::memcmp(bytes.data() + 56, zeros.data(), size) == 0);
}

TEST(memory, blocks_of_bytes_count_as_accesses) {
  EXPECT_EQ(together({}, clear, clear_last).trouble, "data race");
  EXPECT_EQ(together({}, clear_first_half, copy_second_half).trouble, "");
  EXPECT_EQ(together({}, copy_second_half, move_up).trouble, "data race");
  EXPECT_EQ(together({}, clear_first_half, compare_end).trouble, "");
  EXPECT_EQ(together({}, clear_last, compare_end).trouble, "data race");
  EXPECT_EQ(together({}, move_up, compare_end).trouble, "");
}

MODEL_FAILS(memory, a_node_published_relaxed, "data race") {
  static std::atomic<std::string*> slot;
  std::thread writer([] { slot.store(new std::string("short"), std::memory_order_relaxed); });
  if (const std::string* s = slot.load(std::memory_order_acquire)) acqrel::model::expect(s->size() == 5);
  writer.join();
  delete slot.load();
}

MODEL(memory, a_node_published_with_release, .report_leaks = true) {
  static std::atomic<std::string*> slot;
  std::thread writer([] { slot.store(new std::string("short"), std::memory_order_release); });
  if (const std::string* s = slot.load(std::memory_order_acquire)) acqrel::model::expect(s->size() == 5);
  writer.join();
  delete slot.load();
}

// A compare-exchange that fails writes nothing, so a plain look at the object does not race with it.
struct ticket {
  alignas(4) int number = 1;
};
MODEL(memory, a_failed_compare_exchange_is_a_read) {
  static ticket t;
  std::thread other([] {
    int expected = 0;
    std::atomic_ref(t.number).compare_exchange_strong(expected, 2);
    acqrel::model::expect(expected == 1);
  });
  acqrel::model::expect(t.number == 1);
  other.join();
}
MODEL_FAILS(memory, a_compare_exchange_that_succeeds_is_a_write, "data race") {
  static ticket t;
  std::thread other([] {
    int expected = 1;
    std::atomic_ref(t.number).compare_exchange_strong(expected, 2);
  });
  acqrel::model::expect(t.number >= 1);
  other.join();
}

// ---- atomic objects among plain ones ----

TEST(memory, plain_neighbours_do_not_make_an_atomic_object_a_new_one) {
  struct mixed {
    std::atomic<std::int32_t> x{0};
    std::int32_t a = 0;
    std::atomic<std::int32_t> y{0};
    std::int32_t b = 0;
  };
  const result r = check([] {
    mixed m;
    std::thread other([&m] {
      m.b = 1;
      m.y.store(1, std::memory_order_relaxed);
      m.b = m.x.load(std::memory_order_relaxed);
    });
    m.a = 1;
    m.x.store(1, std::memory_order_relaxed);
    m.a = m.y.load(std::memory_order_relaxed);
    other.join();
  });
  EXPECT_TRUE(r.passed()) << r.report();
  EXPECT_EQ(r.executions, 4u);  // store buffering
}

TEST(memory, storage_begun_anew_holds_a_new_atomic_object) {
  const result r = check([] {
    alignas(std::atomic<int>) unsigned char storage[sizeof(std::atomic<int>)];
    auto* first = new (storage) std::atomic<int>(1);
    std::thread reader([first] { acqrel::model::expect(first->load(std::memory_order_relaxed) == 1); });
    reader.join();
    auto* second = new (storage) std::atomic<int>(2);
    std::thread writer([second] { second->store(3, std::memory_order_relaxed); });
    const int seen = second->load(std::memory_order_relaxed);
    acqrel::model::expect(seen == 2 || seen == 3);
    writer.join();
  });
  EXPECT_TRUE(r.passed()) << r.report();
  EXPECT_EQ(r.executions, 2u);
}

MODEL_FAILS(memory, mixed_sizes, "misuse") {
  alignas(8) static std::array<std::uint32_t, 2> words;
  std::atomic_ref(words[1]).store(1);
  (void)std::atomic_ref(*reinterpret_cast<std::uint64_t*>(words.data())).load();
}

// ---- lives ----

MODEL_FAILS(memory, freed_while_another_reads, "use after free") {
  auto* p = new int(1);
  std::thread reader([p] { acqrel::model::expect(*p == 1); });
  delete p;
  reader.join();
}
MODEL(memory, freed_after_the_reader_ended) {
  auto* p = new int(1);
  std::thread reader([p] { acqrel::model::expect(*p == 1); });
  reader.join();
  delete p;
}

MODEL_FAILS(memory, behind_the_end, "use after free") {
  std::vector<int> v(3);
  v.data()[v.size()] = 1;
}
MODEL_FAILS(memory, freed_twice, "bad free") {
  void* p = std::malloc(8);
  void* volatile again = p;
  std::free(p);
  std::free(again);
}
MODEL_FAILS(memory, a_local_variable_freed, "bad free") {
  int local = 0;
  void* volatile p = &local;
  std::free(p);
}

[[gnu::noinline]] int* hand_out_a_local(std::atomic<int*>& to) {
  int local = 7;
  to.store(&local, std::memory_order_release);
  return nullptr;
}
MODEL_FAILS(memory, a_frame_that_ended, "use after free") {
  static std::atomic<int*> handed;
  std::atomic<bool> over{false};
  std::thread owner([&over] {
    hand_out_a_local(handed);
    over.store(true, std::memory_order_release);
  });
  if (over.load(std::memory_order_acquire)) acqrel::model::expect(*handed.load(std::memory_order_acquire) == 7);
  owner.join();
}

MODEL_FAILS(memory, a_block_that_nothing_leads_to, "leak", .report_leaks = true) {
  (void)*static_cast<volatile int*>(new int(1));
}
MODEL(memory, blocks_that_globals_lead_to_are_no_leak, .report_leaks = true) {
  kept = new std::vector<std::unique_ptr<int>>;
  kept->push_back(std::make_unique<int>(1));
  mine = new int(2);
  acqrel::model::expect(*mine == 2);
}

// ABA: the compare-exchange finds the address that it read, in another life. Nothing touches a freed block before.
void pop_beside_pop_pop_push() {
  struct node {
    node* next;
  };
  static std::atomic<node*> top;
  static std::atomic<bool> looked, changed;
  auto* const last = new node{nullptr};
  top.store(new node{last});
  std::thread victim([] {
    node* seen = top.load();
    node* const next = seen->next;
    looked.store(true);
    if (!changed.load()) return;
    if (top.compare_exchange_strong(seen, next)) acqrel::model::expect(false, "popped a node that it never saw");
  });
  if (looked.load()) {
    node* const first = top.load();
    delete last;
    delete first;
    top.store(new node{nullptr});
    changed.store(true);
  }
  victim.join();
}
MODEL(memory, aba_stays_hidden_while_addresses_are_not_reused) { pop_beside_pop_pop_push(); }
MODEL_FAILS(memory, aba_shows_when_they_are, "assertion", .reuse_memory = true) { pop_beside_pop_pop_push(); }

// ---- every way to allocate ----

bool all_are(const void* p, std::size_t size, char what) {
  const char* c = static_cast<const char*>(p);
  for (std::size_t i = 0; i < size; ++i)
    if (c[i] != what) return false;
  return true;
}
bool aligned(const void* p, std::size_t to) { return reinterpret_cast<std::uintptr_t>(p) % to == 0; }

MODEL(memory, the_c_functions, .report_leaks = true) {
  using acqrel::model::expect;
  auto* p = static_cast<char*>(std::calloc(3, 7));
  expect(all_are(p, 21, 0));
  std::memset(p, 'x', 21);
  p = static_cast<char*>(std::realloc(p, 100));
  expect(all_are(p, 21, 'x'));
  p = static_cast<char*>(reallocarray(p, 2, 5));
  expect(all_are(p, 10, 'x') && malloc_usable_size(p) == 10);
  std::free(p);
  const volatile std::size_t huge = SIZE_MAX / 2 + 1;
  expect(reallocarray(nullptr, huge, 2) == nullptr && std::calloc(huge, 2) == nullptr);
  std::free(std::realloc(nullptr, 5));
  std::free(nullptr);
  void* q = std::aligned_alloc(256, 512);
  expect(aligned(q, 256));
  std::free(q);
  expect(posix_memalign(&q, 4096, 8) == 0 && aligned(q, 4096));
  std::free(q);
  expect(posix_memalign(&q, 3, 8) == EINVAL);
  q = memalign(64, 1);
  expect(aligned(q, 64));
  std::free(q);
  std::free(strdup("a block of the C library's own caller"));
  expect(std::malloc(huge) == nullptr);
}

struct alignas(128) wide {
  char c[128];
};
MODEL(memory, the_operators, .report_leaks = true) {
  using acqrel::model::expect;
  delete new int;
  delete[] new int[3];
  auto* w = new wide;
  expect(aligned(w, 128));
  delete w;
  auto* many = new wide[2];
  expect(aligned(many, 128));
  delete[] many;
  delete new (std::nothrow) int;
  delete[] new (std::nothrow) int[3];
  delete new (std::nothrow) wide;
  delete[] new (std::nothrow) wide[3];
  void* p = operator new(8);
  operator delete(p, 8);
  p = operator new[](8, std::align_val_t{64}, std::nothrow);
  operator delete[](p, std::align_val_t{64});
  p = operator new(0);
  operator delete(p);
  const volatile std::size_t huge = SIZE_MAX / 2 + 1;
  expect(operator new(huge, std::nothrow) == nullptr);
  bool thrown = false;
  try {
    operator delete(operator new(huge));
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  expect(thrown);
}

MODEL(memory, exceptions_and_containers, .report_leaks = true) {
  std::thread other([] {
    try {
      throw std::runtime_error("a text of the second thread that is long enough");
    } catch (const std::exception& e) {
      acqrel::model::expect(std::string(e.what()).size() > 20);
    }
  });
  std::vector<std::string> v;
  for (int i = 0; i < 20; ++i) v.push_back(std::string(static_cast<std::size_t>(i), 'x'));
  acqrel::model::expect(v[19].size() == 19);
  other.join();
}

TEST(memory, a_block_allocated_in_a_run_may_be_freed_after_it) {
  std::string* left = nullptr;
  check([&left] { left = new std::string("left over, and long enough for a block of its own"); });
  delete left;
}

TEST(memory, an_arena_that_is_full_is_not_exhaustive) {
  const result r = check([] {
    for (int i = 0; i < 100; ++i) (void)*static_cast<volatile char*>(std::malloc(1 << 20));
  });
  EXPECT_EQ(r.verdict, result::verdict::not_exhaustive) << r.report();
  EXPECT_NE(r.not_exhaustive.find("memory of thread 0"), std::string::npos) << r.not_exhaustive;
}

}  // namespace
