// Every execution graph of a small program that the model allows, found by trying all reads-from and modification orders
// and asking the axioms. Shares nothing with core/ but the names of the orders: each engine checks the other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "program.hpp"

namespace acqrel::model::litmus {

enum class memory_model : std::uint8_t {
  cxx20,  ///< C++20 and acyclic(sb | rf): no load buffering, no values out of thin air
  iso,    ///< C++20 to the letter
  sc,     ///< acyclic(sb | rf | mo | rb): interleavings
};

enum class action : std::uint8_t { read, write, fence };

struct event {
  int thread = -1;  ///< -1: the initial write of a location
  action what = action::write;
  bool atomic = true;
  order how = order::relaxed;
  int location = -1;  ///< -1: a fence
  number value = 0;
  int partner = -1;  ///< the other half of a read-modify-write that wrote; the write stands right after its read
  place at;
};

/// Indexes of two events, first to second.
using arrow = std::pair<unsigned, unsigned>;

struct execution {
  std::vector<event> events;  ///< the initial writes, one for each location, in order; then thread by thread
  std::vector<arrow> rf;      ///< write -> read
  std::vector<arrow> mo;      ///< write -> the next write of the location
  std::vector<arrow> rb;      ///< read -> the first write after the one it read
  std::vector<arrow> sw;      ///< release -> acquire, writes, reads and fences
  std::vector<arrow> hb;      ///< happens before between threads and within them, all pairs, without the initial writes
  std::vector<std::vector<number>> registers;  ///< final values, by thread
  std::vector<number> memory;                  ///< final values, by location
  std::optional<arrow> race;

  number value(operand_name n) const {
    return n.thread < 0 ? memory[n.index] : registers[static_cast<unsigned>(n.thread)][n.index];
  }
};

/// Text says what to do: "more than 64 events ...".
struct too_large : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A program that uses as an address what is none.
struct bad_address : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct enumeration {
  std::uint64_t executions = 0;
  /// Some execution was left out because a loop went on for too long.
  bool cut = false;
};

/// Calls visit for each consistent execution once, those that the program's filter refuses left out.
enumeration enumerate(const program&, memory_model, const std::function<void(const execution&)>& visit);

}  // namespace acqrel::model::litmus
