// Small programs: what a litmus file says. parse() makes one from herd's C format, which is also the easiest way to build
// one in code; to_herd() writes it back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../core/event.hpp"

namespace acqrel::model::litmus {

/// Integers, and addresses of locations (see address_of).
using number = std::int64_t;

/// A location's address as a number, far from anything a test counts to. Elements of an array are 1 apart.
inline constexpr number address_base = number{1} << 40, address_step = 4096;
constexpr number address_of(unsigned location) { return address_base + static_cast<number>(location) * address_step; }

struct place {
  int line = 0;  ///< from 1; 0: not from a file
  int column = 0;
};

// ---- expressions: over registers only; loads stand in instructions of their own
enum class operation : std::uint8_t {
  constant,  // value
  reg,       // register number `value` of the thread
  negate,
  logical_not,
  bit_not,
  add,
  subtract,
  multiply,
  divide,
  remainder,
  shift_left,
  shift_right,
  bit_and,
  bit_or,
  bit_xor,
  equal,
  different,
  less,
  less_equal,
  greater,
  greater_equal,
  logical_and,
  logical_or,
  conditional,  // a ? b : c
};

struct expression {
  operation what = operation::constant;
  number value = 0;
  std::vector<expression> of;

  static expression constant(number v) { return {operation::constant, v, {}}; }
  static expression reg(unsigned index) { return {operation::reg, static_cast<number>(index), {}}; }
  static expression address(unsigned location) { return constant(address_of(location)); }
};
/// Division by zero gives 0: litmus programs have no traps.
number evaluate(const expression&, const std::vector<number>& registers);
/// Whether a (==, <, ...) b.
bool compares(operation how, number a, number b);

// ---- instructions
enum class opcode : std::uint8_t {
  load,              // to = *address
  store,             // *address = operand
  modify,            // to = *address; *address = to (update) operand: one atomic operation, always atomic
  compare_exchange,  // to = *address; succeeded = to == expected (a weak one may fail all the same); if so *address = operand
  fence,
  assign,  // to = operand
  branch,  // if (operand) then; else otherwise
  cut,     // a loop went on for more turns than were asked for: the execution does not count
};

inline constexpr unsigned no_register = ~0u;

struct instruction {
  opcode what = opcode::assign;
  bool atomic = true;              ///< load, store: false is a plain access
  bool weak = false;               ///< compare_exchange
  order how = order::seq_cst;      ///< atomic operations, fences
  order failure = order::seq_cst;  ///< compare_exchange
  update updates = update::none;   ///< modify: exchange, add, subtract, bit_and, bit_or, bit_xor
  unsigned to = no_register;
  unsigned succeeded = no_register;  ///< compare_exchange: 1 or 0
  expression address;
  expression operand;
  expression expected;
  std::vector<instruction> then, otherwise;
  place at;
};

struct thread {
  std::vector<std::string> registers;  ///< names; those that begin with '$' are the parser's own
  std::vector<number> initial;         ///< their values at the start, 0 unless `{ 0:r0=5; }` says otherwise
  std::vector<unsigned> parameters;    ///< locations, in the order of P0(...)
  std::vector<instruction> body;
};

struct location {
  std::string name;
  number initial = 0;
  bool atomic = true;     ///< as declared; the accesses say themselves what they are
  unsigned elements = 1;  ///< of an array, from this one on: each is a location of its own, "a[0]", "a[1]"
};
/// Index of the location at this address, or -1.
int location_at(const std::vector<location>&, number address);

// ---- conditions
struct operand_name {
  int thread = -1;     ///< of a register; -1: the final value of a location
  unsigned index = 0;  ///< of the register in its thread, or of the location
  friend bool operator==(const operand_name&, const operand_name&) = default;
};

struct proposition {
  enum class kind : std::uint8_t { always, never, compare, both, either, negation, implies };
  kind what = kind::always;
  operation compare = operation::equal;  ///< of name and value: equal, different, less, ...
  operand_name name;
  number value = 0;
  std::vector<proposition> of;
};

enum class quantifier : std::uint8_t { none, exists, not_exists, forall };

struct condition {
  quantifier what = quantifier::none;  ///< none: the file has no condition; all states are listed
  proposition holds;
};

struct program {
  std::string name;
  std::string description;
  std::vector<std::pair<std::string, std::string>> info;  ///< key=value lines
  std::vector<location> locations;
  std::vector<thread> threads;
  condition final;
  proposition filter;                ///< executions in which it does not hold do not count
  std::vector<operand_name> listed;  ///< locations [...]: shown in states besides those of the condition
  std::string file;                  ///< where it was read from
  std::vector<std::string> notes;    ///< what the reader of the file should know: "...: a store can not acquire ..."
};

/// What a state shows: the names of `locations` and of the condition, each once, sorted: registers by thread, then
/// locations. All there are if there are none of these.
std::vector<operand_name> shown(const program&);
/// "0:r0", "x"
std::string name_of(const program&, operand_name);
/// "1", "-2"; the name of the location whose address it is.
std::string value_text(const program&, number);
std::string to_text(const program&, const proposition&);
std::string to_text(const program&, const condition&);
/// The whole program in herd's C format: parse() of it gives one that does the same.
std::string to_herd(const program&);

/// Whether it holds, `value` giving what each name ends with: number value(operand_name).
template <class Value>
bool holds(const proposition& p, const Value& value) {
  switch (p.what) {
    case proposition::kind::always: return true;
    case proposition::kind::never: return false;
    case proposition::kind::compare: return compares(p.compare, value(p.name), p.value);
    case proposition::kind::both: return holds(p.of[0], value) && holds(p.of[1], value);
    case proposition::kind::either: return holds(p.of[0], value) || holds(p.of[1], value);
    case proposition::kind::negation: return !holds(p.of[0], value);
    case proposition::kind::implies: return !holds(p.of[0], value) || holds(p.of[1], value);
  }
  return false;
}

}  // namespace acqrel::model::litmus
