// A throttle is given the time of a clock that people set.
//
// Document  A.3, step back
// Refused   by the compiler
// Saying    no matching (member )?function|no viable conversion|could not convert
// Instead   steady_clock::now(), or no time at all: the throttle then reads it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/throttle.hpp>

#include <chrono>

using namespace std::chrono_literals;

#if defined(WRONG)
bool may_log(acqrel::throttle& failures) { return failures.allow(std::chrono::system_clock::now()).has_value(); }
#else
bool may_log(acqrel::throttle& failures) { return failures.allow(std::chrono::steady_clock::now()).has_value(); }
#endif

int main() {
  acqrel::throttle failures(1min);
  return may_log(failures) && !may_log(failures) ? 0 : 1;
}
