// The other way to enumerate, for the letter of C++20: there a read may find a write that depends on it, so values come
// first. Each thread is run with its reads finding any value that some write may have; then the reads look for writes of
// these values. Slower, and right for every model: a check on the other way.
//
// Values out of thin air: a read may find what the program writes in some run, or any number that stands in its threads.
// That shows what the letter allows (both threads of `if (x == 42) y = 42` || `if (y == 42) x = 42` see 42) and no more
// numbers than a reader could have written there.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "enumerate.hpp"

namespace acqrel::model::litmus {

enumeration enumerate_by_guessing(const program&, memory_model, const std::function<void(const execution&)>& visit);
/// How many combinations of values it would try; something above `most` if they are more than that.
double guesses(const program&, double most);
/// Whether in two threads at least a read stands before a write: without that the letter allows nothing more.
bool may_buffer_loads(const program&);

}  // namespace acqrel::model::litmus
