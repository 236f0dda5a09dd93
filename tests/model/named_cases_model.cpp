// Small programs with names in the literature, each written as anybody would write it with std::atomic: how many executions
// each has, and whether the outcome that gave it its name is among them.
// SPDX-License-Identifier: Apache-2.0
#include "counting.hpp"

#include <utility>

namespace {

using namespace counting;
using std::atomic;
using order = std::memory_order;

// ---- store buffering, message passing, independent reads of independent writes, ...

/// Store buffering; how many executions have both threads read the initial value.
unsigned store_buffering(order stores, order loads, counts expected) {
  unsigned weak = 0;
  explores(expected, [&] {
    atomic<int> x{0}, y{0};
    int a = 0, b = 0;
    together(
        [&] {
          x.store(1, stores);
          a = y.load(loads);
        },
        [&] {
          y.store(1, stores);
          b = x.load(loads);
        });
    if (a == 0 && b == 0) ++weak;
  });
  return weak;
}

TEST(named_cases, store_buffering) {
  EXPECT_EQ(store_buffering(relaxed, relaxed, {4}), 1u);
  EXPECT_EQ(store_buffering(release, acquire, {4}), 1u);
  EXPECT_EQ(store_buffering(seq_cst, seq_cst, {3}), 0u);
  EXPECT_EQ(store_buffering(seq_cst, acquire, {4}), 1u);
  EXPECT_EQ(store_buffering(release, seq_cst, {4}), 1u);
}

unsigned message_passing(order stores, order loads, counts expected) {
  unsigned weak = 0;
  explores(expected, [&] {
    atomic<int> x{0}, y{0};
    int a = 0, b = 0;
    together(
        [&] {
          x.store(1, relaxed);
          y.store(1, stores);
        },
        [&] {
          a = y.load(loads);
          b = x.load(relaxed);
        });
    if (a == 1 && b == 0) ++weak;
  });
  return weak;
}

TEST(named_cases, message_passing) {
  EXPECT_EQ(message_passing(relaxed, relaxed, {4}), 1u);
  EXPECT_EQ(message_passing(release, relaxed, {4}), 1u);
  EXPECT_EQ(message_passing(release, acquire, {3}), 0u);
}

TEST(named_cases, plain_data_behind_a_flag) {
  for (const auto& [store, load, trouble] :
       {std::tuple{release, acquire, ""}, {relaxed, acquire, "data race"}, {release, relaxed, "data race"}}) {
    const auto test = [store = store, load = load] {
      int data = 0;
      atomic<bool> ready{false};
      together(
          [&] {
            data = 1;
            ready.store(true, store);
          },
          [&] {
            if (ready.load(load)) acqrel::model::expect(data == 1);
          });
    };
    if (*trouble == '\0')
      explores({2}, test);
    else
      fails(trouble, test);
  }
}

TEST(named_cases, load_buffering_is_never_shown) {
  for (const auto& [stores, loads] : {std::pair{relaxed, relaxed}, {release, acquire}, {seq_cst, seq_cst}}) {
    unsigned weak = 0;
    explores({3}, [&, stores = stores, loads = loads] {
      atomic<int> x{0}, y{0};
      int a = 0, b = 0;
      together(
          [&] {
            a = x.load(loads);
            y.store(1, stores);
          },
          [&] {
            b = y.load(loads);
            x.store(1, stores);
          });
      if (a == 1 && b == 1) ++weak;
    });
    EXPECT_EQ(weak, 0u);
  }
}

unsigned independent_reads(order stores, order loads, counts expected) {
  unsigned weak = 0;
  explores(expected, [&] {
    atomic<int> x{0}, y{0};
    int a = 0, b = 0, c = 0, d = 0;
    together([&] { x.store(1, stores); }, [&] { y.store(1, stores); },
             [&] {
               a = x.load(loads);
               b = y.load(loads);
             },
             [&] {
               c = y.load(loads);
               d = x.load(loads);
             });
    if (a == 1 && b == 0 && c == 1 && d == 0) ++weak;
  });
  return weak;
}

TEST(named_cases, independent_reads_of_independent_writes) {
  EXPECT_EQ(independent_reads(relaxed, relaxed, {16}), 1u);
  EXPECT_EQ(independent_reads(release, acquire, {16}), 1u);
  EXPECT_EQ(independent_reads(seq_cst, seq_cst, {15}), 0u);
  // Here C++20 and the RC11 paper part: coherence-ordered-before goes through writes that are not seq_cst.
  EXPECT_EQ(independent_reads(release, seq_cst, {15}), 0u);
}

unsigned two_plus_two_writes(order stores, counts expected) {
  unsigned weak = 0;
  explores(expected, [&] {
    atomic<int> x{0}, y{0};
    together(
        [&] {
          x.store(2, stores);
          y.store(1, stores);
        },
        [&] {
          y.store(2, stores);
          x.store(1, stores);
        });
    // What the writers left: the end of the modification orders.
    if (x.load(relaxed) == 2 && y.load(relaxed) == 2) ++weak;
  });
  return weak;
}

TEST(named_cases, two_plus_two_writes) {
  EXPECT_EQ(two_plus_two_writes(relaxed, {4}), 1u);
  EXPECT_EQ(two_plus_two_writes(release, {4}), 1u);
  EXPECT_EQ(two_plus_two_writes(seq_cst, {3}), 0u);
}

TEST(named_cases, four_threads_of_store_buffering_twice_over_in_seq_cst) {
  explores({1039}, [] {
    std::array<atomic<int>, 4> x{};
    in_threads<4>([&](unsigned i) {
      for (int round = 1; round <= 2; ++round) {
        x[i].store(round);
        (void)x[(i + 1) % 4].load();
      }
    });
  });
}

// ---- the order S of seq_cst operations

TEST(named_cases, z6_u_has_its_weak_outcome) {
  unsigned weak = 0;
  explores({24}, [&] {
    atomic<int> x{0}, y{0};
    int a = 9, b = 9, c = 9;
    together(
        [&] {
          x.store(1, seq_cst);
          y.store(1, release);
        },
        [&] {
          b = y.fetch_add(1, seq_cst);
          c = y.load(relaxed);
        },
        [&] {
          y.store(3, seq_cst);
          a = x.load(seq_cst);
        });
    if (a == 0 && b == 1 && c == 3) ++weak;
  });
  EXPECT_GE(weak, 1u);
}

TEST(named_cases, a_seq_cst_fence_after_the_store_publishes_nothing) {
  fails("data race", [] {
    int data = 0;
    atomic<int> x{0};
    together(
        [&] {
          data = 1;
          x.store(1, relaxed);
          std::atomic_thread_fence(seq_cst);
        },
        [&] {
          if (x.load(relaxed) != 1) return;
          std::atomic_thread_fence(seq_cst);
          (void)*const_cast<volatile int*>(&data);
        });
  });
}

TEST(named_cases, a_fence_before_the_store_and_one_after_the_load_publish) {
  explores({2}, [] {
    int data = 0;
    atomic<int> x{0};
    together(
        [&] {
          data = 1;
          std::atomic_thread_fence(release);
          x.store(1, relaxed);
        },
        [&] {
          if (x.load(relaxed) != 1) return;
          std::atomic_thread_fence(acquire);
          acqrel::model::expect(data == 1);
        });
  });
}

// ---- read-modify-writes

TEST(named_cases, read_modify_writes_come_in_every_order) {
  const auto count = []<unsigned N>(std::integral_constant<unsigned, N>, std::uint64_t orders) {
    explores({orders}, [] {
      atomic<unsigned> x{0};
      in_threads<N>([&](unsigned) { x.fetch_add(1, relaxed); });
      acqrel::model::expect(x.load(relaxed) == N);
    });
  };
  count(std::integral_constant<unsigned, 3>(), 6);
  count(std::integral_constant<unsigned, 5>(), 120);
  count(std::integral_constant<unsigned, 6>(), 720);
  count(std::integral_constant<unsigned, 7>(), 5040);
}

TEST(named_cases, read_modify_writes_of_threads_that_make_two_and_one) {
  // GenMC's viktor-relseq: six of them, 6! / (2! 2!) orders.
  explores({180}, [] {
    atomic<int> x{0};
    in_threads<4>([&](unsigned i) {
      const order o = i == 1 ? acquire : i == 2 ? release : relaxed;
      x.fetch_add(1, o);
      if (i < 2) x.fetch_add(1, relaxed);
    });
  });
}

TEST(named_cases, a_failed_compare_exchange_may_read_what_is_stale) {
  unsigned stale = 0;
  explores({4}, [&] {
    atomic<int> x{0}, y{0};
    int seen_y = 0, seen_x = 9;
    together(
        [&] {
          x.store(1, relaxed);
          y.store(1, relaxed);
        },
        [&] {
          seen_y = y.load(relaxed);
          seen_x = 5;
          x.compare_exchange_strong(seen_x, 7, relaxed, relaxed);
        });
    if (seen_y == 1 && seen_x == 0) ++stale;
  });
  EXPECT_EQ(stale, 1u);
}

#if !defined(__clang__)  // whose calls do not tell weak from strong
TEST(named_cases, each_thread_may_be_granted_a_spurious_failure) {
  const auto test = [] {
    atomic<int> x{0};
    int expected = 0;
    if (!x.compare_exchange_weak(expected, 1, relaxed)) acqrel::model::expect(expected == 0);
  };
  explores({1}, test);
  explores({2}, test, {.spurious_failures = 1});
  fails("assertion",
        [] {
          atomic<int> x{0};
          int expected = 0;
          acqrel::model::expect(x.compare_exchange_weak(expected, 1, relaxed),
                                "a weak compare-exchange is a strong one");
        },
        {.spurious_failures = 1});
}
#endif

// ---- release sequences

TEST(named_cases, a_release_sequence_goes_on_through_a_relaxed_compare_exchange) {
  explores({5}, [] {
    int data = 0;
    atomic<int> x{0};
    together(
        [&] {
          data = 1;
          x.store(1, release);
        },
        [&] {
          int one = 1;
          x.compare_exchange_strong(one, 2, relaxed);
        },
        [&] {
          if (x.load(acquire) != 0) acqrel::model::expect(data == 1);
        });
  });
}

TEST(named_cases, a_release_sequence_goes_on_through_a_relaxed_exchange) {
  // The exchange after the store: the load reads 0 (then data is 0 or 1), 1 or 2: 4. Before: 0 or 2 (data 0 or 1 each), 1: 5.
  unsigned stale = 0;
  explores({9}, [&] {
    atomic<int> data{0}, x{0};
    int before = 9, read = 9, seen = 9;
    together(
        [&] {
          data.store(1, relaxed);
          x.store(1, release);
        },
        [&] { before = x.exchange(2, relaxed); },
        [&] {
          read = x.load(acquire);
          seen = data.load(relaxed);
        });
    if (before == 1 && read == 2 && seen == 0) ++stale;
  });
  EXPECT_EQ(stale, 0u);
}

TEST(named_cases, a_later_store_of_the_same_thread_is_no_release_sequence) {
  // It was one until C++20 (P0982).
  fails("data race", [] {
    int data = 0;
    atomic<int> x{0};
    together(
        [&] {
          data = 1;
          x.store(1, release);
          x.store(2, relaxed);
        },
        [&] {
          if (x.load(acquire) == 2) (void)*const_cast<volatile int*>(&data);
        });
  });
}

// ---- loops

TEST(named_cases, a_loop_that_waits_is_one_execution) {
  explores({1, 1}, [] {
    int data = 0;
    atomic<bool> ready{false};
    together(
        [&] {
          data = 1;
          ready.store(true, release);
        },
        [&] {
          while (!ready.load(acquire)) {
          }
          acqrel::model::expect(data == 1);
        });
  });
}

TEST(named_cases, a_loop_that_counts_its_tries_is_explored_try_by_try) {
  explores({4}, [] {
    atomic<int> x{0};
    together([&] { x.store(1, relaxed); },
             [&] {
               for (int tries = 0; tries < 3; ++tries)
                 if (x.load(relaxed) != 0) break;
             });
  });
}

TEST(named_cases, a_flag_that_nobody_sets_is_waited_for_for_ever) {
  fails("livelock", [] {
    atomic<bool> ready{false};
    together([&] {
      while (!ready.load()) {
      }
    });
  });
}

TEST(named_cases, a_loop_without_end_that_changes_its_state_hits_the_bound) {
  const acqrel::model::result r = acqrel::model::check({.max_executions = 20, .max_events = 40}, [] {
    atomic<int> x{0};
    for (int i = 0; x.load(relaxed) >= 0; ++i) x.store(i, relaxed);
  });
  EXPECT_EQ(r.verdict, acqrel::model::result::verdict::not_exhaustive) << r.report();
  EXPECT_NE(r.not_exhaustive.find("40 operations"), std::string::npos) << r.not_exhaustive;
}

// ---- sizes

template <class T>
void every_operation() {
  explores({1}, [] {
    atomic<T> x{T{5}};
    acqrel::model::expect(x.fetch_add(T{3}) == T{5} && x.load() == T{8});
    acqrel::model::expect(x.fetch_sub(T{2}) == T{8} && x.load() == T{6});
    acqrel::model::expect(x.fetch_or(T{9}) == T{6} && x.load() == T{15});
    acqrel::model::expect(x.fetch_and(T{12}) == T{15} && x.load() == T{12});
    acqrel::model::expect(x.fetch_xor(T{5}) == T{12} && x.load() == T{9});
    acqrel::model::expect(x.exchange(T{1}) == T{9} && x.load() == T{1});
    T expected{2};
    acqrel::model::expect(!x.compare_exchange_strong(expected, T{7}) && expected == T{1});
    acqrel::model::expect(x.compare_exchange_weak(expected, T{7}) && x.load() == T{7});
    x.store(static_cast<T>(T{0} - T{1}));
    acqrel::model::expect(x.fetch_add(T{1}) == static_cast<T>(T{0} - T{1}) && x.load() == T{0});
  });
}

TEST(named_cases, every_operation_in_every_size) {
  every_operation<std::uint8_t>();
  every_operation<std::uint16_t>();
  every_operation<std::uint32_t>();
  every_operation<std::uint64_t>();
}

}  // namespace
