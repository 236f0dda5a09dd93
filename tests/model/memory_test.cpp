// SPDX-License-Identifier: Apache-2.0
#include "model/runtime/memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "model/report/report.hpp"
#include "model/runtime/blocks.hpp"
#include "model/runtime/modules.hpp"
#include "model/runtime/sites.hpp"

// ---- a run that the test plays ----
// Threads are numbers: `running` does what is called next, an event is a number more on its clock, a synchronisation joins
// two clocks, and the end of a run is an exception.
namespace acqrel::model {
namespace {

thread_id running = 0;
std::array<unsigned, max_threads> events;
std::array<clock, max_threads> clocks;
thread_id stack_owner = max_threads;
bool stack_dead = false;
alignas(16) std::array<char, 64> somebodys_stack;
char* const test_thread_pointer = static_cast<char*>(__builtin_thread_pointer());

struct ended {
  trouble_kind kind;
  std::string what;
};

void event(thread_id t) { clocks[t][t] = static_cast<std::uint8_t>(++events[t]); }

/// All that `from` did so far happens before what `to` does next.
void synchronise(thread_id from, thread_id to) {
  event(from);
  clocks[to].join(clocks[from]);
  event(to);
}

void begin(bool reuse = false) {
  running = 0;
  events.fill(0);
  clocks.fill({});
  stack_owner = max_threads;
  begin_memory(reuse);
}

const void* line(int n) { return reinterpret_cast<const void*>(static_cast<std::uintptr_t>(n)); }

template <typename Do>
ended trouble_of(Do&& something) {
  try {
    something();
  } catch (const ended& e) {
    return e;
  }
  return {trouble_kind::none, ""};
}

}  // namespace

// What the memory asks of the rest of the checker.
bool native = false;
const void* program_stack = nullptr;
thread_id self() { return running; }
class explorer::tree {};
explorer::~explorer() = default;
unsigned explorer::position(thread_id t) const { return events[t]; }
const clock& explorer::now(thread_id t) const { return clocks[t]; }
explorer& tree() {
  // Never looked into: the two functions above are all that is called.
  alignas(explorer) static std::array<char, sizeof(explorer)> nothing;
  void* const place = nothing.data();
  return *static_cast<explorer*>(place);
}
void fail(trouble_kind kind, const std::string& what, const void*) { throw ended{kind, what}; }
void bound(const std::string& what) { throw ended{trouble_kind::none, "bound: " + what}; }
void add_mark(mark) {}
void wrote_plainly(const void*, std::size_t) {}
thread_id stack_of(const void* p, bool* dead) {
  const bool there = p >= somebodys_stack.data() && p < somebodys_stack.data() + somebodys_stack.size();
  *dead = there && stack_dead;
  return there ? stack_owner : static_cast<thread_id>(max_threads);
}
bool is_global(const void*) { return false; }
bool is_thread_local(const void*, thread_id*) { return false; }
std::uint64_t thread_pointer_of(thread_id) { return reinterpret_cast<std::uint64_t>(test_thread_pointer); }
std::string site::brief() const { return "line " + std::to_string(reinterpret_cast<std::uintptr_t>(address)); }
const site& site_of(const void* address) {
  static site s;
  s.address = address;
  return s;
}

namespace {

void* get(std::size_t size) { return allocate(size, 1, line(1)); }
char* bytes(void* p) { return static_cast<char*>(p); }

using kind = trouble_kind;

// ---- semantics ----

TEST(model_memory, blocks_are_at_the_same_places_in_every_run_and_hold_the_same) {
  std::vector<void*> first;
  for (int run = 0; run < 3; ++run) {
    begin();
    for (std::size_t i = 0; i < 100; ++i) {
      running = static_cast<thread_id>(i % 3);
      char* const p = bytes(allocate(i * 7, std::size_t{1} << (i % 9), line(1)));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % std::max<std::size_t>(16, std::size_t{1} << (i % 9)), 0u);
      EXPECT_TRUE(in_arena(p));
      EXPECT_EQ(block_size(p), i * 7);
      EXPECT_EQ(std::count(p, p + i * 7, '\xa5'), static_cast<std::ptrdiff_t>(i * 7));
      std::memset(p, run, i * 7);
      if (run == 0) first.push_back(p);
      EXPECT_EQ(p, first[i]);
    }
  }
}

TEST(model_memory, blocks_of_one_thread_never_touch) {
  begin();
  char* const a = bytes(get(16));
  char* const b = bytes(get(16));
  EXPECT_GE(b, a + 32);
}

TEST(model_memory, a_full_arena_is_a_bound) {
  begin();
  const ended e = trouble_of([] { get(std::size_t{65} << 20); });
  EXPECT_EQ(e.what, "bound: memory of thread 0: 68157440 bytes more than its 64 MiB");
}

TEST(model_memory, an_address_elsewhere_is_in_no_arena) {
  int here = 0;
  EXPECT_FALSE(in_arena(&here));
  EXPECT_FALSE(in_arena(nullptr));
  EXPECT_FALSE(in_arena(reinterpret_cast<const void*>(UINTPTR_MAX)));
  EXPECT_EQ(block_size(&here), 0u);
}

// ---- races ----

TEST(model_memory, two_accesses_race_if_one_writes_and_one_is_not_atomic) {
  for (unsigned pair = 0; pair < 16; ++pair) {
    const bool atomic[2] = {(pair & 1) != 0, (pair & 2) != 0};
    const bool writes[2] = {(pair & 4) != 0, (pair & 8) != 0};
    for (const bool ordered : {false, true}) {
      begin();
      static std::uint64_t object;
      const ended e = trouble_of([&] {
        for (unsigned i = 0; i < 2; ++i) {
          running = static_cast<thread_id>(i);
          if (atomic[i])
            atomic_access(&object, 8, true, writes[i], line(2));
          else
            (writes[i] ? plain_write : plain_read)(&object, 8, line(2));
          event(running);
          if (ordered && i == 0) synchronise(0, 1);
        }
      });
      const bool race = !ordered && (writes[0] || writes[1]) && !(atomic[0] && atomic[1]);
      EXPECT_EQ(e.kind, race ? kind::race : kind::none) << pair << ordered;
    }
  }
}

TEST(model_memory, a_compare_exchange_writes_only_if_it_succeeds) {
  for (const bool succeeds : {false, true}) {
    begin();
    static int object;
    atomic_access(&object, 4, true, false, line(2));
    event(0);  // its read
    if (succeeds) {
      event(0);  // its write
      atomic_exchanged(&object, 4, line(2));
    }
    const clock released = clocks[0];
    running = 1;
    const ended e = trouble_of([&] { plain_read(&object, 4, line(3)); });
    EXPECT_EQ(e.kind, succeeds ? kind::race : kind::none);
    EXPECT_EQ(e.what.find("4-byte atomic read-modify-write by thread 0 at line 2") != std::string::npos, succeeds);
    running = 2;
    clocks[2].join(released);  // as from what it wrote
    EXPECT_EQ(trouble_of([&] { plain_read(&object, 4, line(3)); }).kind, kind::none);
  }
}

TEST(model_memory, bytes_next_to_each_other_are_apart) {
  begin();
  static std::array<char, 64> object;
  for (unsigned i = 0; i < 48; ++i) {
    running = static_cast<thread_id>(i % max_threads);
    EXPECT_EQ(trouble_of([&] { plain_write(&object[i], 1, line(2)); }).kind, kind::none);
  }
  running = 5;
  EXPECT_EQ(trouble_of([&] { plain_read(&object[37], 1, line(3)); }).kind, kind::none);
  EXPECT_EQ(trouble_of([&] { plain_read(&object[36], 2, line(3)); }).kind, kind::race);
}

TEST(model_memory, what_comes_after_a_release_is_not_ordered_by_it) {
  begin();
  static int object;
  event(0);  // the release
  const clock released = clocks[0];
  plain_write(&object, 4, line(2));
  clocks[1].join(released);
  running = 1;
  EXPECT_EQ(trouble_of([&] { plain_read(&object, 4, line(3)); }).kind, kind::race);
}

TEST(model_memory, concurrent_readers_are_all_remembered) {
  static int object;
  for (thread_id forgotten = 1; forgotten < 8; ++forgotten) {
    begin();
    for (running = 1; running < 8; ++running) plain_read(&object, 4, line(2));
    for (thread_id t = 1; t < 8; ++t)
      if (t != forgotten) synchronise(t, 0);
    running = 0;
    const ended e = trouble_of([&] { plain_write(&object, 4, line(3)); });
    EXPECT_EQ(e.kind, kind::race);
    EXPECT_NE(e.what.find("read by thread " + std::to_string(forgotten)), std::string::npos) << e.what;
  }
}

// ---- lives of blocks ----

TEST(model_memory, freed_memory_may_not_be_touched) {
  for (int how = 0; how < 3; ++how) {
    begin();
    void* const p = get(24);
    release(p, line(2));
    const ended e = trouble_of([&] {
      if (how == 0) plain_read(bytes(p) + 8, 4, line(3));
      if (how == 1) plain_write(bytes(p) + 8, 4, line(3));
      if (how == 2) atomic_access(bytes(p) + 8, 4, true, false, line(3));
    });
    EXPECT_EQ(e.kind, kind::use_after_free);
    EXPECT_NE(
        e.what.find("byte 8 of the block of 24 bytes allocated by thread 0 at line 1, freed by thread 0 at line 2"),
        std::string::npos)
        << e.what;
  }
}

TEST(model_memory, a_free_is_checked_against_accesses_before_it) {
  for (const bool ordered : {false, true}) {
    begin();
    void* const p = get(24);
    synchronise(0, 1);
    running = 1;
    plain_read(bytes(p) + 16, 8, line(2));
    if (ordered) synchronise(1, 0);
    running = 0;
    const ended e = trouble_of([&] { release(p, line(3)); });
    EXPECT_EQ(e.kind, ordered ? kind::none : kind::use_after_free) << e.what;
  }
}

TEST(model_memory, a_free_without_its_allocation_races_with_it) {
  begin();
  void* const p = get(24);
  running = 1;
  EXPECT_EQ(trouble_of([&] { release(p, line(3)); }).kind, kind::race);
}

TEST(model_memory, reading_a_block_that_nobody_handed_over_races_with_its_allocation) {
  begin();
  void* const p = get(24);
  running = 1;
  EXPECT_EQ(trouble_of([&] { plain_read(p, 4, line(3)); }).kind, kind::race);
}

TEST(model_memory, no_byte_around_a_block_may_be_touched) {
  for (std::size_t size = 0; size < 40; ++size) {
    begin();
    char* const p = bytes(get(size));
    get(size);
    for (std::ptrdiff_t at = -16; at < static_cast<std::ptrdiff_t>(size) + 16; ++at) {
      const bool inside = at >= 0 && at < static_cast<std::ptrdiff_t>(size);
      EXPECT_EQ(trouble_of([&] { plain_read(p + at, 1, line(3)); }).kind, inside ? kind::none : kind::use_after_free)
          << size << " " << at;
    }
    EXPECT_EQ(trouble_of([&] { plain_read(p, size, line(3)); }).kind, kind::none);
    EXPECT_EQ(trouble_of([&] { plain_read(p, size + 1, line(3)); }).kind, kind::use_after_free);
  }
}

TEST(model_memory, only_a_living_block_can_be_freed) {
  begin();
  void* const p = get(24);
  int local = 0;
  EXPECT_EQ(trouble_of([&] { release(bytes(p) + 8, line(2)); }).kind, kind::bad_free);
  EXPECT_EQ(trouble_of([&] { release(&local, line(2)); }).kind, kind::bad_free);
  release(p, line(2));
  const ended twice = trouble_of([&] { release(p, line(3)); });
  EXPECT_EQ(twice.kind, kind::bad_free);
  EXPECT_NE(twice.what.find("second time"), std::string::npos) << twice.what;
}

TEST(model_memory, a_dead_frame_may_not_be_touched_by_others) {
  begin();
  stack_owner = 2;
  stack_dead = false;
  running = 1;
  EXPECT_EQ(trouble_of([&] { plain_read(&somebodys_stack[8], 4, line(2)); }).kind, kind::none);
  stack_dead = true;
  const ended e = trouble_of([&] { plain_read(&somebodys_stack[8], 4, line(2)); });
  EXPECT_EQ(e.kind, kind::use_after_free);
  EXPECT_NE(e.what.find("a dead frame on the stack of thread 2"), std::string::npos) << e.what;
  running = 2;
  EXPECT_EQ(trouble_of([&] { plain_read(&somebodys_stack[8], 4, line(2)); }).kind, kind::none);
}

// ---- reuse ----

TEST(model_memory, without_reuse_every_block_is_new) {
  begin();
  void* const p = get(24);
  release(p, line(2));
  EXPECT_NE(get(24), p);
}

TEST(model_memory, a_thread_gets_back_the_block_of_equal_size_that_it_freed_last) {
  begin(true);
  void* const a = get(24);
  void* const b = get(32);
  void* const c = get(64);
  for (void* p : {a, b, c}) release(p, line(2));
  running = 1;
  EXPECT_NE(get(24), b);
  running = 0;
  EXPECT_EQ(get(30), b);
  EXPECT_EQ(get(20), a);
  EXPECT_NE(get(24), a);
  EXPECT_EQ(trouble_of([&] { plain_write(a, 20, line(3)); }).kind, kind::none);
  EXPECT_EQ(trouble_of([&] { plain_write(a, 21, line(3)); }).kind, kind::use_after_free);
}

TEST(model_memory, a_reused_block_holds_new_atomic_objects) {
  begin(true);
  void* const a = get(16);
  const location before = atomic_access(a, 8, true, true, line(2));
  event(0);
  EXPECT_EQ(atomic_access(a, 8, true, false, line(2)), before);
  release(a, line(2));
  ASSERT_EQ(get(16), a);
  EXPECT_NE(atomic_access(a, 8, true, false, line(2)), before);
}

// ---- atomic objects ----

TEST(model_memory, only_a_plain_write_of_the_object_itself_begins_it_anew) {
  begin();
  alignas(16) static std::array<char, 32> storage;
  const location middle = atomic_access(&storage[4], 4, true, true, line(2));
  event(0);
  plain_write(&storage[0], 4, line(2));
  plain_write(&storage[8], 8, line(2));
  EXPECT_EQ(atomic_access(&storage[4], 4, true, false, line(2)), middle);
  plain_read(&storage[4], 4, line(2));
  EXPECT_EQ(atomic_access(&storage[4], 4, true, false, line(2)), middle);
  plain_write(&storage[7], 1, line(2));
  const location next = atomic_access(&storage[4], 4, true, false, line(2));
  EXPECT_NE(next, middle);
  EXPECT_EQ(atomic_access(&storage[4], 4, true, false, line(2)), next);
  const location wide = atomic_access(&storage[16], 16, true, false, line(2));
  plain_write(&storage[31], 1, line(2));
  EXPECT_NE(atomic_access(&storage[16], 16, true, false, line(2)), wide);
}

TEST(model_memory, one_atomic_object_has_one_size) {
  begin();
  alignas(16) static std::array<char, 16> storage;
  atomic_access(&storage[0], 4, true, true, line(2));
  const ended e = trouble_of([&] { atomic_access(&storage[2], 2, true, false, line(3)); });
  EXPECT_EQ(e.kind, kind::misuse);
  EXPECT_NE(e.what.find("mixed-size atomic access (2 and 4 bytes)"), std::string::npos) << e.what;
  plain_write(&storage[0], 8, line(2));
  EXPECT_EQ(trouble_of([&] { atomic_access(&storage[0], 8, true, false, line(3)); }).kind, kind::none);
  EXPECT_EQ(trouble_of([&] { atomic_access(&storage[9], 4, true, false, line(3)); }).kind, kind::misuse);
}

// ---- leaks ----

char* held = nullptr;

TEST(model_memory, only_blocks_that_nothing_leads_to_are_lost) {
  find_modules();
  begin();
  held = bytes(get(24));
  auto* const next = static_cast<void**>(get(32));
  std::memcpy(held + 8, &next, sizeof next);
  EXPECT_EQ(leaks(), "");
  std::memset(held + 8, 0, sizeof next);
  EXPECT_EQ(leaks(),
            "1 block of 32 bytes was never freed:\n"
            "  1 block of 32 bytes allocated by thread 0 at line 1");
  held = nullptr;
  EXPECT_NE(leaks().find("2 blocks of 56 bytes in all"), std::string::npos) << leaks();
  release(next, line(2));
}

// ---- against a slow, obvious reference ----
// It keeps every access of the run for each byte, and compares each new one with all of them.

struct reference {
  struct past {
    std::size_t first, last;
    bool atomic, writes;
    thread_id thread;
    unsigned when;
  };
  static constexpr std::size_t size = 64;
  std::vector<past> all;
  std::array<bool, size> anew{};
  std::array<unsigned, size> generation{};
  bool alive = true;

  bool races(const past& a) {
    bool found = false;
    for (const past& b : all)
      found = found || (a.first < b.last && b.first < a.last && (a.writes || b.writes) && !(a.atomic && b.atomic) &&
                        a.thread != b.thread && clocks[a.thread][b.thread] <= b.when);
    all.push_back(a);
    if (a.writes && !a.atomic)
      std::fill(anew.begin() + static_cast<long>(a.first), anew.begin() + static_cast<long>(a.last), true);
    return found;
  }
  unsigned generation_at(std::size_t first, std::size_t last) {
    if (std::find(anew.begin() + static_cast<long>(first), anew.begin() + static_cast<long>(last), true) !=
        anew.begin() + static_cast<long>(last))
      for (std::size_t i = first; i < last; ++i) ++generation[i];
    std::fill(anew.begin() + static_cast<long>(first), anew.begin() + static_cast<long>(last), false);
    return generation[first];
  }
};

TEST(model_memory_random, agrees_with_the_reference) {
  constexpr unsigned runs = 30'000;
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  struct slot {
    std::size_t at, size;
  };
  const std::vector<slot> objects = {{0, 4}, {4, 4}, {8, 8}, {16, 16}, {32, 1}, {33, 1}, {34, 2}, {36, 4}, {48, 8}};
  alignas(16) static std::array<char, reference::size> global;
  unsigned races = 0, uses_after_free = 0, clean = 0;
  std::uint64_t steps = 0;
  for (unsigned run = 0; run < runs; ++run) {
    begin(below(2) == 0);
    reference all;
    const bool in_block = below(2) == 0;
    const unsigned threads = 2 + below(3), care = 2 + below(100);
    char* const base = in_block ? bytes(get(reference::size)) : global.data();
    if (in_block) all.races({0, reference::size, false, true, 0, 0});
    bool over = false;
    for (unsigned step = 0; step < 60 && !over; ++step, ++steps) {
      const thread_id before = running;
      running = static_cast<thread_id>(below(threads));
      // Mostly one thread after the other, or races would end every run at once.
      if (running != before && below(care) != 0) synchronise(before, running);
      reference::past a{0, 0, false, below(3) == 0, running, events[running]};
      ended got{};
      location key = 0;
      const unsigned what = below(in_block ? 40 : 39);
      if (what == 39) {
        a.last = reference::size;
        a.writes = true;
        got = trouble_of([&] { release(base, line(9)); });
        const bool expected = all.alive && all.races(a);
        EXPECT_EQ(got.kind != kind::none, expected || !all.alive) << got.what;
        EXPECT_TRUE(all.alive || got.kind == kind::bad_free);
        all.alive = false;
      } else if (what < 20) {
        const slot& o = objects[below(static_cast<unsigned>(objects.size()))];
        a.first = o.at;
        a.last = o.at + o.size;
        a.atomic = true;
        got = trouble_of([&] { key = atomic_access(base + o.at, o.size, true, a.writes, line(2)); });
        const bool expected = all.races(a);
        EXPECT_EQ(got.kind, !all.alive ? kind::use_after_free : expected ? kind::race : kind::none) << got.what;
        if (got.kind == kind::none) {
          EXPECT_EQ(key & ((location{1} << 47) - 1), reinterpret_cast<std::uintptr_t>(base + o.at));
          EXPECT_EQ(key >> 48, all.generation_at(a.first, a.last));
          event(running);
        }
      } else {
        a.first = below(reference::size);
        a.last = std::min<std::size_t>(reference::size, a.first + 1 + below(below(2) == 0 ? 8 : 64));
        got = trouble_of([&] { (a.writes ? plain_write : plain_read)(base + a.first, a.last - a.first, line(3)); });
        const bool expected = all.races(a);
        EXPECT_EQ(got.kind, !all.alive ? kind::use_after_free : expected ? kind::race : kind::none) << got.what;
      }
      over = got.kind != kind::none || HasFailure() || events[running] > 250;
      if (over) (got.kind == kind::race ? races : uses_after_free) += got.kind != kind::none;
    }
    clean += !over;
    if (HasFailure()) break;
  }
  std::printf("%u runs, %llu steps: %u clean, %u races, %u other troubles; seed %u\n", runs,
              static_cast<unsigned long long>(steps), clean, races, uses_after_free, seed);
  EXPECT_GT(races, runs / 10);
  EXPECT_GT(uses_after_free, runs / 50);
  EXPECT_GT(clean, runs / 20);
}

}  // namespace
}  // namespace acqrel::model
