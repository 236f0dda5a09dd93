// Atomic objects at which no two threads meet unordered: their operations are no events. Most of a real program's atomic
// operations are of this kind (a record's fields before it is published, a mode read after it was set), and each would make
// every execution longer, none of them different: such a read can see but one write.
//
// An object is taken for one until a conflicting access is found that happens-before does not order, or a seq_cst operation,
// which also counts in the order S. Then the search starts over, knowing better.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../core/event.hpp"

namespace acqrel::model {

/// Before a search: every object is one of these; a replayed token says itself which operations are.
void begin_alone(bool replays);
/// Before a run.
void begin_alone_run();

/// Whether an operation on `object` by the running thread will be no event.
bool stays_alone(const void* object, order how);
/// It is being made. Starts the search over if it meets another thread's.
void make_alone(const void* object, bool writes);

}  // namespace acqrel::model
