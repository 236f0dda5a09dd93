// SPDX-License-Identifier: Apache-2.0
#include "calls.hpp"

#include <array>
#include <unordered_map>

namespace acqrel::model::litmus {
namespace {

using table = std::unordered_map<std::string, atomic_call>;

atomic_call make(opcode what, update updates = update::none) {
  atomic_call c;
  c.what = what;
  c.updates = updates;
  return c;
}

// By the name that C11's functions and C++'s members have in common.
table basic() {
  table t{{"load", make(opcode::load)},
          {"store", make(opcode::store)},
          {"exchange", make(opcode::modify, update::exchange)},
          {"fetch_add", make(opcode::modify, update::add)},
          {"fetch_sub", make(opcode::modify, update::subtract)},
          {"fetch_and", make(opcode::modify, update::bit_and)},
          {"fetch_or", make(opcode::modify, update::bit_or)},
          {"fetch_xor", make(opcode::modify, update::bit_xor)},
          {"compare_exchange_strong", make(opcode::compare_exchange)},
          {"compare_exchange_weak", make(opcode::compare_exchange)}};
  t["compare_exchange_weak"].weak = true;
  return t;
}

table methods() {
  table t = basic();
  t["test_and_set"] = make(opcode::modify, update::exchange);
  t["test_and_set"].operand = 1;
  t["clear"] = make(opcode::store);
  t["clear"].operand = 0;
  t["test"] = make(opcode::load);
  return t;
}

void both(table& t, const std::string& name, atomic_call c) {
  t[name] = c;
  c.explicit_orders = true;
  t[name + "_explicit"] = c;
}

table functions() {
  table t;
  for (const auto& [name, c] : basic()) both(t, "atomic_" + name, c);
  for (const auto& [name, c] : methods()) {
    if (c.operand || name == "test") both(t, "atomic_flag_" + name, c);
  }
  t["atomic_init"] = make(opcode::store);
  t["atomic_init"].initialises = true;
  t["atomic_thread_fence"] = make(opcode::fence);
  t["atomic_signal_fence"] = make(opcode::fence);
  t["atomic_signal_fence"].signal = true;
  // GNU builtins always state an order.
  for (const auto& [from, to] :
       std::initializer_list<std::pair<const char*, const char*>>{{"load", "load_n"},
                                                                  {"store", "store_n"},
                                                                  {"exchange", "exchange_n"},
                                                                  {"fetch_add", "fetch_add"},
                                                                  {"fetch_sub", "fetch_sub"},
                                                                  {"fetch_and", "fetch_and"},
                                                                  {"fetch_or", "fetch_or"},
                                                                  {"fetch_xor", "fetch_xor"}}) {
    atomic_call c = basic().at(from);
    c.explicit_orders = true;
    t[std::string("__atomic_") + to] = c;
  }
  t["__atomic_thread_fence"] = make(opcode::fence);
  return t;
}

constexpr std::array<std::pair<std::string_view, order>, 6> orders = {{{"relaxed", order::relaxed},
                                                                       {"consume", order::acquire},
                                                                       {"acquire", order::acquire},
                                                                       {"release", order::release},
                                                                       {"acq_rel", order::acq_rel},
                                                                       {"seq_cst", order::seq_cst}}};

}  // namespace

const atomic_call* find_call(std::string_view name, bool method) {
  static const table by_name[] = {functions(), methods()};
  const table& t = by_name[method ? 1 : 0];
  const auto found = t.find(std::string(name));
  return found == t.end() ? nullptr : &found->second;
}

std::string unknown_call(std::string_view name) {
  const std::string what = "`" + std::string(name) + "` ";
  for (std::string_view kernel :
       {"READ_ONCE", "WRITE_ONCE", "smp_", "rcu_", "srcu_", "spin_", "xchg", "cmpxchg", "atomic_read", "atomic_set",
        "atomic_inc", "atomic_dec", "atomic_add", "atomic_sub", "__load", "__store"}) {
    if (name.starts_with(kernel)) return what + "belongs to the Linux kernel's memory model; this one is C++20's";
  }
  if (name.starts_with("mtx_") || name.find("lock") != std::string_view::npos) {
    return what +
           "is not modelled: locks are the program checker's (acqrel::model), here write the lock out in atomics";
  }
  return what +
         "is not a function this knows: atomic_load, _store, _exchange, _fetch_add, _sub, _and, _or, _xor, "
         "_compare_exchange_strong, _weak, each also with _explicit; atomic_thread_fence; atomic_init; "
         "atomic_flag_test_and_set, _clear";
}

std::optional<order> find_order(std::string_view name) {
  if (name.starts_with("std::")) name.remove_prefix(5);
  for (std::string_view prefix : {"memory_order_", "memory_order::", "mo_"}) {
    if (!name.starts_with(prefix)) continue;
    for (const auto& [text, o] : orders) {
      if (name.substr(prefix.size()) == text) return o;
    }
  }
  constexpr std::array<std::pair<std::string_view, order>, 6> gnu = {{{"__ATOMIC_RELAXED", order::relaxed},
                                                                      {"__ATOMIC_CONSUME", order::acquire},
                                                                      {"__ATOMIC_ACQUIRE", order::acquire},
                                                                      {"__ATOMIC_RELEASE", order::release},
                                                                      {"__ATOMIC_ACQ_REL", order::acq_rel},
                                                                      {"__ATOMIC_SEQ_CST", order::seq_cst}}};
  for (const auto& [text, o] : gnu) {
    if (name == text) return o;
  }
  return std::nullopt;
}

std::string order_name(order o) {
  for (const auto& [text, known] : orders) {
    if (known == o && text != "consume") return "memory_order_" + std::string(text);
  }
  return {};
}

bool is_type_word(std::string_view word) {
  for (std::string_view t : {"int",    "unsigned", "signed",   "long",     "short",    "char",    "bool",
                             "_Bool",  "auto",     "const",    "volatile", "register", "static",  "void",
                             "struct", "_Atomic",  "__int128", "std",      "atomic",   "mutable", "restrict"}) {
    if (word == t) return true;
  }
  if (word == "atomic_flag") return true;
  if (word.ends_with("_t") && !word.starts_with("atomic_") && word.size() > 2) return true;
  // atomic_int, atomic_uint, atomic_bool, atomic_size_t, ...: whatever is not one of the functions
  return word.starts_with("atomic_") && find_call(word, false) == nullptr && word != "atomic_thread_fence";
}

}  // namespace acqrel::model::litmus
