// Two threads that push and pop: each item is whole and goes to one of them, in both fence modes, also where a node's memory
// is used again at once. Below, what goes wrong without each of the steps.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/stack.hpp>

#include "../reclaim/model_version.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <optional>
#include <thread>
#include <utility>

namespace {

using namespace heart;
using acqrel::hazard_nothing;

constexpr fence_mode asymmetric = fence_mode::asymmetric, full = fence_mode::full;

// What the threads of a test got: each number once.
struct taken {
  void add(int n) {
    expect(!all[static_cast<std::size_t>(n)], "an item is popped once");
    all[static_cast<std::size_t>(n)] = true;
  }
  std::bitset<8> all;
};

// Items that lie elsewhere: a thread reads what another wrote.
struct letter {
  explicit letter(int n) : number(new int(n)) {}
  letter(letter&& other) noexcept : number(std::exchange(other.number, nullptr)) {}
  ~letter() { delete number; }
  int* number;
};

template <class Stack>
void take(Stack& from, taken& got) {
  if (auto item = from.pop()) got.add(*item->number);
}

template <class Stack>
void all_are_there(Stack& from, const taken& one, const taken& two, int pushed) {
  taken all = one;
  for (int n = 0; n < pushed; ++n) {
    if (two.all[static_cast<std::size_t>(n)]) all.add(n);
  }
  while (auto item = from.pop()) all.add(*item->number);
  expect(static_cast<int>(all.all.count()) == pushed, "nothing is lost");
}

// ---- a push and a pop

template <class Stack>
void push_and_pop(fence_mode mode) {
  begin(mode, 1);
  Stack letters;
  taken here, there;
  std::thread other([&] { letters.emplace(0); });
  take(letters, here);
  other.join();
  all_are_there(letters, here, there, 1);
}

MODEL(stack, push_and_pop_asymmetric, .shows = {"hazard.publish"}) { push_and_pop<acqrel::stack<letter>>(asymmetric); }
MODEL(stack, push_and_pop_full) { push_and_pop<acqrel::stack<letter>>(full); }

// ---- two pops, and a push between them

template <class Stack>
void two_pops(fence_mode mode) {
  begin(mode, 1);
  Stack letters;
  letters.emplace(0);
  letters.emplace(1);
  taken here, there;
  std::thread other([&] { take(letters, there); });
  take(letters, here);
  other.join();
  expect(here.all.any() && there.all.any(), "there is one for each");
  all_are_there(letters, here, there, 2);
}

MODEL(stack, two_pops_asymmetric) { two_pops<acqrel::stack<letter>>(asymmetric); }
MODEL(stack, two_pops_full, .shows = {"hazard.protect"}) { two_pops<acqrel::stack<letter>>(full); }

// The replay: a pop is held up, a and b are popped, a's memory is pushed again.
template <class Stack>
void replay(fence_mode mode) {  // L4 L5 X9
  begin(mode, 1);
  Stack letters;
  letters.emplace(0);
  letters.emplace(1);
  taken here, there;
  std::thread other([&] { take(letters, there); });
  take(letters, here);
  take(letters, here);
  letters.emplace(2);
  other.join();
  all_are_there(letters, here, there, 3);
}

MODEL(stack, replay_asymmetric, .reuse_memory = true) { replay<acqrel::stack<letter>>(asymmetric); }
MODEL(stack, replay_full, .reuse_memory = true) { replay<acqrel::stack<letter>>(full); }

// Two pushes against two pops: only what a stack of one thread could give in some order of the calls.
void pops_in_order(fence_mode mode) {  // L3
  begin(mode, 1);
  acqrel::stack<letter> letters;
  std::thread other([&] {
    letters.emplace(0);
    letters.emplace(1);
  });
  const auto first = letters.pop(), second = letters.pop();
  other.join();
  if (first && *first->number == 1) expect(second && *second->number == 0, "0 lay below 1");
  if (first && *first->number == 0) expect(!second || *second->number == 1, "1 comes after 0, or too late");
  expect(letters.empty() == (first && second), "the others are left");
}

MODEL(stack, pops_in_order_asymmetric) { pops_in_order(asymmetric); }
MODEL(stack, pops_in_order_full) { pops_in_order(full); }

// ---- pop_all against a pop and a push

void all_against_pop(fence_mode mode) {  // L10
  begin(mode, 1);
  acqrel::stack<letter> letters;
  letters.emplace(0);
  letters.emplace(1);
  taken here, there;
  std::thread other([&] { take(letters, there); });
  int last = 2;
  for (const letter& each : letters.pop_all()) {
    expect(*each.number < last, "the newest comes first");
    last = *each.number;
    here.add(last);
  }
  other.join();
  all_are_there(letters, here, there, 2);
}

MODEL(stack, all_against_pop_asymmetric, .reuse_memory = true) { all_against_pop(asymmetric); }
MODEL(stack, all_against_pop_full, .reuse_memory = true) { all_against_pop(full); }

void all_against_push(fence_mode mode) {  // L10
  begin(mode, 1);
  acqrel::stack<letter> letters;
  letters.emplace(0);
  taken here, there;
  std::thread other([&] { letters.emplace(1); });
  for (const letter& each : letters.pop_all()) here.add(*each.number);
  other.join();
  all_are_there(letters, here, there, 2);
}

MODEL(stack, all_against_push_asymmetric) { all_against_push(asymmetric); }
MODEL(stack, all_against_push_full) { all_against_push(full); }

// ---- without one of the steps

enum class lacks { nothing, hazard, validation, retirement, publication };

// The stack with one step missing: the same node, the same domain.
template <lacks Missing>
class naive_stack {
 public:
  ~naive_stack() {
    while (pop()) {
    }
  }
  void emplace(int n) {
    node* const added = new node(n);
    added->below = top_.current.load(relaxed);
    constexpr auto order = Missing == lacks::publication ? relaxed : std::memory_order_release;
    while (!top_.current.compare_exchange_weak(added->below, added, order, relaxed)) {
    }
  }
  std::optional<letter> pop() {
    for (;;) {
      hazard_object* const seen = top_.current.load(std::memory_order_acquire);
      if (seen == &hazard_nothing) return std::nullopt;
      hazard_protection top{seen, 0};
      if constexpr (Missing == lacks::validation) {
        auto& slot = acqrel::hazard_domain::here().guards.word[1];
        acqrel::hazard_domain::set_slot(slot, seen);
        top.where = reinterpret_cast<std::uintptr_t>(&slot) | (acqrel::hazard_domain::in_full_mode() ? 2 : 0);
      } else if constexpr (Missing != lacks::hazard) {
        top = acqrel::hazard_protect(top_);
        if (top.object == &hazard_nothing) {
          acqrel::hazard_release(top);
          return std::nullopt;
        }
      }
      node* const popped = static_cast<node*>(top.object);
      const bool won = acqrel::hazard_unlink(top_, popped, popped->below);
      if constexpr (Missing != lacks::hazard) acqrel::hazard_release(top);
      if (!won) continue;
      std::optional<letter> item(std::move(popped->value));
      if constexpr (Missing == lacks::retirement)
        delete popped;
      else
        acqrel::hazard_retire_lazily(popped);
      return item;
    }
  }

 private:
  struct node : hazard_object {
    explicit node(int n) : hazard_object(&destroy, nullptr), value(n) {}
    static void destroy(hazard_object* object) noexcept { delete static_cast<node*>(object); }
    hazard_object* below = nullptr;
    letter value;
  };
  hazard_cell top_;
};

MODEL(naive_stack, with_all_steps, .reuse_memory = true) { two_pops<naive_stack<lacks::nothing>>(asymmetric); }
MODEL_FAILS(naive_stack, without_publication, "data race") {
  push_and_pop<naive_stack<lacks::publication>>(asymmetric);
}
MODEL_FAILS(naive_stack, without_hazard, "use after free") { two_pops<naive_stack<lacks::hazard>>(asymmetric); }
MODEL_FAILS(naive_stack, without_hazard_full, "use after free") { two_pops<naive_stack<lacks::hazard>>(full); }
MODEL_FAILS(naive_stack, without_second_look, "use after free") {
  two_pops<naive_stack<lacks::validation>>(asymmetric);
}
MODEL_FAILS(naive_stack, without_retiring, "use after free") { two_pops<naive_stack<lacks::retirement>>(asymmetric); }

}  // namespace
