// SPDX-License-Identifier: Apache-2.0
#include "alone.hpp"

#include <cstdint>
#include <vector>

#include "run.hpp"
#include "scheduler.hpp"

namespace acqrel::model {
namespace {

// On one object in one run. More are a loop, perhaps one that waits for what another thread has not done yet: as events
// they show it, or are bounded.
constexpr unsigned most_operations = 1000;

struct lone {
  const void* object = nullptr;
  bool met = false;                     // by two threads: an object like any other
  bool touched = false;                 // in some run of this search
  std::uint32_t run = 0;                // of which the rest speaks
  std::uint8_t writer = 0;              // thread + 1 of the last write
  std::uint8_t written = 0;             // after so many of its events
  std::uint8_t read[max_threads] = {};  // by each thread since, after so many events, plus 1
  unsigned operations = 0;
};

// Open addressing; never more than half full.
std::vector<lone> table(1024);
std::size_t used = 0;
bool replaying = false;
std::uint32_t run_number = 0;

std::size_t slot_of(const void* object) {
  const auto hash = reinterpret_cast<std::uintptr_t>(object) * 0x9e3779b97f4a7c15u;
  std::size_t i = hash >> 32 & (table.size() - 1);
  while (table[i].object != nullptr && table[i].object != object) i = (i + 1) & (table.size() - 1);
  return i;
}

lone& entry(const void* object) {
  std::size_t i = slot_of(object);
  if (table[i].object == nullptr) {
    if (++used * 2 > table.size()) {
      std::vector<lone> old(table.size() * 2);
      old.swap(table);
      for (const lone& l : old) {
        if (l.object != nullptr) table[slot_of(l.object)] = l;
      }
      i = slot_of(object);
    }
    table[i].object = object;
  }
  return table[i];
}

[[noreturn]] void meet(lone& l) {
  l.met = true;
  start_over();
}

}  // namespace

void begin_alone(bool replays) {
  replaying = replays;
  table.assign(table.size(), {});
  used = 0;
  run_number = 0;
}

void begin_alone_run() { ++run_number; }

bool stays_alone(const void* object, order how) {
  if (replaying) return tree().replays_alone(self());
  lone& l = entry(object);
  if (l.met) return false;
  if (how != order::seq_cst) return true;
  if (l.touched) meet(l);  // what came before, in this run or another, was no event
  l.met = true;
  return false;
}

void make_alone(const void* object, bool writes) {
  const thread_id me = self();
  if (!replaying) {
    lone& l = entry(object);
    if (l.run != run_number) {
      l = {};
      l.object = object;
      l.touched = true;
      l.run = run_number;
    }
    if (++l.operations > most_operations) meet(l);
    const clock& now = tree().now(me);
    const unsigned position = tree().position(me);
    if (l.writer != 0 && l.writer != me + 1 && now[l.writer - 1u] <= l.written) meet(l);
    if (writes) {
      for (unsigned t = 0; t < max_threads; ++t) {
        if (t != me && l.read[t] != 0 && now[t] < l.read[t]) meet(l);
        l.read[t] = 0;
      }
      l.writer = static_cast<std::uint8_t>(me + 1);
      l.written = static_cast<std::uint8_t>(position);
    } else {
      l.read[me] = static_cast<std::uint8_t>(position + 1);
    }
  }
  tree().alone(me);
}

}  // namespace acqrel::model
