// SPDX-License-Identifier: Apache-2.0
// bench/go.hpp - contenders written in Go, which Debian has: bench/go/main.go, built beside the benchmarks where there is a go.
//
//   bench::enter_go({.type = "once", .operation = "get", .contender = "Go sync.Once", .variation = "read_only"}, "once");
#pragma once

#include "harness.hpp"

#include <utility>

namespace bench {

#ifdef ACQREL_GO_RIVALS
inline constexpr bool have_go = true;
#else
inline constexpr bool have_go = false;
#endif

/// Adds the contender that runs `task`, a name of main.go's `tasks`; without go, adds nothing.
inline void enter_go(row description, std::string task) {
  if (have_go) enter_program(std::move(description), "go_rivals", std::move(task));
}

}  // namespace bench
