// Random litmus programs, the same for the same seed everywhere: what engines are compared on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "program.hpp"

namespace acqrel::model::litmus {

struct random_options {
  unsigned most_threads = 4;  ///< 2 at least
  unsigned most_events = 9;   ///< 5 at least
  bool plain = false;         ///< also plain accesses, to a location of their own: there may be races
};

/// Loads, stores, fetch_add, exchange, strong compare-exchange and fences of every order, on 1 to 3 locations; now and
/// then a value that depends on what was read, or a branch. No condition: every register and location counts.
program random_program(std::uint64_t seed, const random_options& = {});

}  // namespace acqrel::model::litmus
