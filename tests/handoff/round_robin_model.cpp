// Two that take turns while the list is replaced: whole items, each turn to one. Below, a number that is set back by a store.
// SPDX-License-Identifier: Apache-2.0
#include "../reclaim/model_version.hpp"

#include <acqrel/handoff/round_robin.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using heart::begin;
constexpr auto asymmetric = acqrel::fence_mode::asymmetric, full = acqrel::fence_mode::full;
constexpr std::uint64_t half = std::uint64_t{1} << 63;

// An item that lies elsewhere: a thread reads what another wrote, or what was freed.
struct letter {
  explicit letter(int n) : number(new int(n)) {}
  letter(const letter& other) : letter(*other.number) {}
  ~letter() { delete number; }
  int* number;
};

// RR4
void replaced_meanwhile(acqrel::fence_mode mode) {
  begin(mode, 1);
  acqrel::round_robin<letter> letters({letter(1)});
  std::thread other([&] {
    const auto item = letters.next();
    EXPECT_TRUE(*item->number == 1 || *item->number == 2);
  });
  letters.replace({letter(2)});
  other.join();
  const auto item = letters.next();
  EXPECT_EQ(*item->number, 2);
}
MODEL(round_robin, gives_whole_items_asymmetric, .shows = {"hazard.publish"}) { replaced_meanwhile(asymmetric); }
MODEL(round_robin, gives_whole_items_full) { replaced_meanwhile(full); }

// RR1, RR3. Four turns of three items, of which the second is the one at which the number is set back.
template <class Turns>
void four_turns() {
  begin(asymmetric, 1);
  Turns turns({0, 1, 2}, half - 1);
  int given[3] = {};
  int there[2] = {};
  std::thread other([&] {
    for (int& mine : there) mine = turns.turn();
  });
  for (int i = 0; i != 2; ++i) ++given[turns.turn()];
  other.join();
  for (const int item : there) ++given[item];
  acqrel::model::expect(given[(half - 1) % 3] == 2 && given[half % 3] == 1 && given[(half + 1) % 3] == 1,
                        "one item is given twice, the others once");
}

struct ours : acqrel::round_robin<int> {
  using acqrel::round_robin<int>::round_robin;
  int turn() {
    const auto item = next();
    return *item;
  }
};

// The number is set back by whoever finds it high, by a store; what others added meanwhile is lost.
struct stores {
  stores(std::vector<int>, std::uint64_t first) : next(first) {}
  int turn() {
    const std::uint64_t turn = next.fetch_add(1, std::memory_order_relaxed);
    if (turn == half) next.store(turn % 3 + 1, std::memory_order_relaxed);
    return static_cast<int>(turn % 3);
  }
  std::atomic<std::uint64_t> next;
};

// The source document's: where the number wraps, an item comes twice.
struct documents {
  documents(std::vector<int>, std::uint64_t first) : next(first + half) {}
  int turn() { return static_cast<int>(next.fetch_add(1, std::memory_order_relaxed) % 3); }
  std::atomic<std::uint64_t> next;
};

MODEL(round_robin, sets_its_number_back_and_gives_each_its_share) { four_turns<ours>(); }
MODEL_FAILS(round_robin, the_twin_that_stores, "assertion") { four_turns<stores>(); }
MODEL_FAILS(round_robin, the_documents_code, "assertion") { four_turns<documents>(); }

}  // namespace
