// The functions a litmus test may call, and how the memory orders are called.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "program.hpp"

namespace acqrel::model::litmus {

struct atomic_call {
  opcode what = opcode::load;
  update updates = update::none;
  bool explicit_orders = false;
  bool weak = false;
  bool initialises = false;       ///< atomic_init: a plain store
  bool signal = false;            ///< atomic_signal_fence: between a thread and its own signals only
  std::optional<number> operand;  ///< given by the name: test_and_set
};

/// `method`: x->load(...) instead of atomic_load(x, ...). nullptr if there is no such function.
const atomic_call* find_call(std::string_view name, bool method);
/// Why not, and what to do.
std::string unknown_call(std::string_view name);
/// memory_order_acquire, memory_order::acquire, __ATOMIC_ACQUIRE, with or without std::
std::optional<order> find_order(std::string_view name);
/// "memory_order_acquire"
std::string order_name(order);

/// Whether the word belongs to a type: int, const, atomic_int, uint32_t, ...
bool is_type_word(std::string_view word);

}  // namespace acqrel::model::litmus
