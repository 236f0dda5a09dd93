// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/stack.hpp>

#include "../../src/reclaim/scan_pace.hpp"
#include "../checked_value.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <barrier>
#include <cstdlib>
#include <cstring>
#include <latch>
#include <memory>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using acqrel::stack;

// ---- an allocator that uses a freed block again at once: for blocks of up to 128 bytes, last freed first, in each thread

namespace {

std::atomic<long> blocks_alive{0};

struct block {
  block* next;
};
[[maybe_unused]] constinit thread_local std::array<block*, 9>
    freed{};  // none under a sanitizer, which must see each free

constexpr std::size_t class_of(std::size_t size) { return (size + 15) / 16; }

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  blocks_alive.fetch_add(1, std::memory_order_relaxed);
  const std::size_t c = class_of(size + 16);
#if !defined(ACQREL_TEST_SANITIZED)
  if (c < freed.size() && freed[c] != nullptr) {
    block* const again = freed[c];
    freed[c] = again->next;
    return again;
  }
#endif
  char* const memory = static_cast<char*>(std::malloc(c * 16));
  if (memory == nullptr) throw std::bad_alloc();
  std::memcpy(memory, &c, sizeof(c));  // which list it goes to
  return memory + 16;
}
[[gnu::noinline]] void operator delete(void* p) noexcept {
  if (p == nullptr) return;
  blocks_alive.fetch_sub(1, std::memory_order_relaxed);
  std::size_t c;
  std::memcpy(&c, static_cast<char*>(p) - 16, sizeof(c));
#if !defined(ACQREL_TEST_SANITIZED)
  if (c < freed.size()) {
    freed[c] = ::new (p) block{freed[c]};
    return;
  }
#endif
  std::free(static_cast<char*>(p) - 16);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { operator delete(p); }

namespace {

std::unique_ptr<checked> make(long n) { return std::make_unique<checked>(n); }

// ---- semantics ----

TEST(stack, gives_nothing_when_it_is_empty) {  // L6
  stack<int> none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.pop(), std::nullopt);
  EXPECT_TRUE(none.pop_all().empty());
  EXPECT_EQ(none.pop(), std::nullopt);
}

TEST(stack, gives_the_newest_first) {
  stack<int> numbers;
  for (int n = 1; n <= 3; ++n) numbers.push(n);
  EXPECT_FALSE(numbers.empty());
  EXPECT_EQ(numbers.pop(), 3);
  numbers.push(4);
  EXPECT_EQ(numbers.pop(), 4);
  EXPECT_EQ(numbers.pop(), 2);
  EXPECT_EQ(numbers.pop(), 1);
  EXPECT_EQ(numbers.pop(), std::nullopt);
}

TEST(stack, takes_what_can_only_be_moved) {
  stack<std::unique_ptr<int>> numbers;
  numbers.push(std::make_unique<int>(1));
  numbers.emplace(new int(2));
  EXPECT_EQ(**numbers.pop(), 2);
  EXPECT_EQ(**numbers.pop(), 1);
}

struct alignas(128) wide {
  explicit wide(int n) : number(n) { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % 128, 0u); }
  wide(wide&& other) noexcept : number(other.number) {}
  int number;
};

TEST(stack, keeps_large_and_aligned_items) {
  stack<wide> wides;
  stack<std::array<int, 100>> large;
  for (int n = 0; n < 3; ++n) {
    wides.emplace(n);
    large.push({n});
  }
  EXPECT_EQ(wides.pop()->number, 2);
  EXPECT_EQ(large.pop()->at(0), 2);
}

TEST(stack, gives_all_at_once_newest_first) {  // L10
  stack<std::string> words;
  for (const char* word : {"one", "two", "three"}) words.push(word);
  auto taken = words.pop_all();
  EXPECT_TRUE(words.empty());
  words.push("four");
  const auto moved = std::move(taken);
  EXPECT_TRUE(taken.empty());
  EXPECT_TRUE(std::ranges::equal(moved, std::array{"three", "two", "one"}));
  std::vector<std::string> kept;
  for (std::string& word : words.pop_all()) kept.push_back(std::move(word));
  EXPECT_EQ(kept, std::vector<std::string>{"four"});
}

TEST(stack, destroys_each_item_once_and_when_it_is_popped) {
  {
    stack<std::unique_ptr<checked>> all;
    for (long n = 0; n < 4; ++n) all.push(make(n));
    EXPECT_TRUE((*all.pop())->whole());
    EXPECT_EQ(checked::live, 3);
    stack<std::unique_ptr<checked>> others;
    others.push(make(5));
    {
      auto taken = others.pop_all();
      taken = all.pop_all();  // what it had is destroyed
      EXPECT_EQ(checked::live, 3);
    }
    EXPECT_EQ(checked::live, 0);
    all.push(make(6));
  }
  EXPECT_EQ(checked::live, 0);
}

TEST(stack, destroys_a_million_items_without_recursion) {  // L7
  for (const bool at_once : {false, true}) {
    stack<std::unique_ptr<long>> deep;
    for (long n = 0; n < 1'000'000 / fewer_when_sanitized; ++n) deep.push(std::make_unique<long>(n));
    if (at_once) (void)deep.pop_all();
  }
}

// Throws when its copies run out; a move does not.
struct fragile {
  explicit fragile(int* left) : copies_left(left) {}
  fragile(const fragile& other) : copies_left(other.copies_left) {
    if ((*copies_left)-- == 0) throw std::runtime_error("no copies left");
  }
  fragile(fragile&&) noexcept = default;
  int* copies_left;
};

TEST(stack, is_as_before_when_a_copy_throws) {  // L8
  int copies = 1;
  const fragile item(&copies);
  stack<fragile> items;
  items.push(item);
  const long blocks = blocks_alive;
  EXPECT_THROW(items.push(item), std::runtime_error);
  EXPECT_EQ(blocks_alive, blocks);
  EXPECT_TRUE(items.pop().has_value());
  EXPECT_FALSE(items.pop().has_value());
}

// Not even its move is safe: pop() refuses to compile, pop_all() moves nothing.
struct throws_when_moved {
  explicit throws_when_moved(int n) : number(n) {}
  throws_when_moved(throws_when_moved&& other) : number(other.number) { throw std::runtime_error("moved"); }
  int number;
};

TEST(stack, keeps_what_throws_when_it_is_moved) {  // L8
  stack<throws_when_moved> items;
  items.emplace(1);
  throws_when_moved two(2);
  EXPECT_THROW(items.push(std::move(two)), std::runtime_error);
  int found = 0;
  for (const throws_when_moved& item : items.pop_all()) found += item.number;
  EXPECT_EQ(found, 1);
}

// A pop that was held up after it had read what lies below, while a and b went and a's memory came back.
TEST(stack, refuses_the_replay_of_a_b_a) {  // L5
  struct link : acqrel::hazard_object {
    explicit link(hazard_object* b)
        : hazard_object([](hazard_object* o) noexcept { delete static_cast<link*>(o); }, nullptr), below(b) {}
    hazard_object* below;
  };
  acqrel::hazard_cell top;
  link* const c = new link(&acqrel::hazard_nothing);
  link* const b = new link(c);
  link* const a = new link(b);
  top.current.store(a, std::memory_order_release);

  const acqrel::hazard_protection held_up = acqrel::hazard_protect(top);
  for (link* popped : {a, b}) {
    ASSERT_TRUE(acqrel::hazard_unlink(top, popped, popped->below));
    acqrel::hazard_retire(popped);
  }
  acqrel::drain();
  link* const pushed = new link(c);  // b's memory perhaps, but not a's
  EXPECT_NE(pushed, a);
  top.current.store(pushed, std::memory_order_release);
  EXPECT_FALSE(acqrel::hazard_unlink(top, a, b)) << "b is on top, and it is gone";
  acqrel::hazard_release(held_up);
  EXPECT_EQ(top.current.load(std::memory_order_relaxed), pushed);
  delete pushed;
  delete c;
}

// A test may be held up where a pop can be: the top of a stack, which is private.
acqrel::hazard_cell& top_of(stack<long>& numbers);
template <acqrel::hazard_cell stack<long>::*Top>
struct opened {
  friend acqrel::hazard_cell& top_of(stack<long>& numbers) { return numbers.*Top; }
};
template struct opened<&stack<long>::top_>;

TEST(stack, gives_back_all_its_nodes) {  // L9
  const long before = blocks_alive;
  long most = 0;
  {
    stack<long> numbers;
    numbers.push(-1);
    std::latch reading(1), done(1);
    std::jthread reader([&] {  // one that is held up in a pop
      const auto held = acqrel::hazard_protect(top_of(numbers));
      EXPECT_NE(held.object, &acqrel::hazard_nothing);
      reading.count_down();
      done.wait();
      acqrel::hazard_release(held);
    });
    reading.wait();
    std::thread([&] {
      EXPECT_EQ(numbers.pop(), -1);
      for (long n = 0; n < 100'000; ++n) {
        numbers.push(n);
        EXPECT_EQ(numbers.pop(), n);
        if (n % 1'000 == 0) most = std::max(most, blocks_alive - before);
      }
    }).join();
    done.count_down();
  }
  acqrel::drain();
  EXPECT_LE(most, 2 * 1'024 + 100);
  EXPECT_LE(blocks_alive - before, 100);
}

TEST(stack, does_as_a_vector_does) {  // L3
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::minstd_rand random(seed);
  stack<unsigned> numbers;
  std::vector<unsigned> reference;
  for (unsigned n = 0; n < 20'000; ++n) {
    const unsigned what = static_cast<unsigned>(random() % 64);
    if (what < 32) {
      numbers.push(n);
      reference.push_back(n);
    } else if (what < 63) {
      std::optional<unsigned> expected;
      if (!reference.empty()) {
        expected = reference.back();
        reference.pop_back();
      }
      ASSERT_EQ(numbers.pop(), expected);
    } else {
      std::ranges::reverse(reference);
      ASSERT_TRUE(std::ranges::equal(numbers.pop_all(), reference));
      reference.clear();
    }
    ASSERT_EQ(numbers.empty(), reference.empty());
  }
}

// ---- stress ----

// What was pushed is found once: popped, or left. Every field of an item is a function of one number, and what one pop_all
// gives has the numbers of each producer in falling order, since each pushes rising ones.
struct letter {
  explicit letter(long n) : number(n), inverse(~n) {}
  long number, inverse;
};

void exchange_letters(unsigned threads, long each, bool taking_all) {
  stack<letter> letters;
  std::vector<std::vector<long>> popped(threads);
  std::barrier start(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::thread> running;
  for (unsigned t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      auto& mine = popped[t];
      mine.reserve(static_cast<std::size_t>(2 * each));
      start.arrive_and_wait();
      for (long n = 0; n < each; ++n) {
        letters.emplace(static_cast<long>(t) * each + n);
        if (taking_all && n % 16 == 0) {
          std::vector<long> last(threads, each);
          for (const letter& one : letters.pop_all()) {
            ASSERT_EQ(one.inverse, ~one.number);
            long& before = last[static_cast<std::size_t>(one.number / each)];
            ASSERT_LT(one.number % each, before);
            before = one.number % each;
            mine.push_back(one.number);
          }
        } else if (!taking_all || n % 3 == 0) {
          if (const auto one = letters.pop()) {
            ASSERT_EQ(one->inverse, ~one->number);
            mine.push_back(one->number);
          }
        }
      }
    });
  }
  for (auto& one : running) one.join();
  std::vector<long> all;
  for (const auto& mine : popped) all.insert(all.end(), mine.begin(), mine.end());
  for (const letter& one : letters.pop_all()) all.push_back(one.number);
  std::ranges::sort(all);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(threads * each));
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], static_cast<long>(i));
}

TEST(stack_stress, counts_rightly_alone) {
  exchange_letters(1, 1'000, false);
  exchange_letters(1, 1'000, true);
}
TEST(stack_stress, loses_and_doubles_nothing) {  // L1 L2 L4 X9
  exchange_letters(4, 50'000 / fewer_when_sanitized, false);
}
TEST(stack_stress, loses_and_doubles_nothing_when_all_is_taken) {  // L1 L2 L3 L10
  exchange_letters(4, 50'000 / fewer_when_sanitized, true);
}
TEST(stack_stress, survives_memory_that_is_used_again_at_once) {  // L4 X9
  acqrel::scan_after(1);
  exchange_letters(4, 5'000 / fewer_when_sanitized, false);
  exchange_letters(4, 5'000 / fewer_when_sanitized, true);
  acqrel::scan_after(0);
}

}  // namespace
