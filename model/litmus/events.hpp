// How the operations of a program become events, and finished graphs executions: what both ways of enumerating share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "axioms.hpp"
#include "flow.hpp"

namespace acqrel::model::litmus {

/// What an operation may come to when it finds a certain value. A weak compare-exchange may also fail for no reason.
struct outcome {
  bool writes = false;
  bool failed = false;  ///< compare_exchange
  number written = 0;
};
struct outcomes {
  std::array<outcome, 2> all;
  unsigned count = 0;
  const outcome* begin() const { return all.data(); }
  const outcome* end() const { return all.data() + count; }
};
outcomes outcomes_of(const instruction&, const std::vector<number>& registers, number seen);

/// The initial writes.
sketch begin(const program&);
node fence_node(unsigned thread, const instruction&);
/// Of an access: thread, order, location. location is -1 if the address is none.
node access_node(const program&, unsigned thread, const instruction&, const std::vector<number>& registers);
/// Makes the node one that found `seen`, and the thread go on from there.
void apply(const outcome&, const instruction&, number seen, node&, flow::state&);

/// Hands out a finished graph, unless the filter refuses it.
void report(const program&, const sketch&, const std::vector<flow::state>&,
            const std::function<void(const execution&)>& visit, enumeration& result);

[[noreturn]] void fail_too_large(const program&);
/// An access to an address at which there is nothing.
[[noreturn]] void fail_address(const program&, unsigned thread, const instruction&,
                               const std::vector<number>& registers);

}  // namespace acqrel::model::litmus
