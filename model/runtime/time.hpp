// Deadlines in virtual time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>

namespace acqrel::model {

/// The time of `clock` is now at or after `deadline`; false if that is no time.
bool pass_deadline(clockid_t clock, const timespec* deadline);
/// The same for so long from now.
bool pass_interval(const timespec* interval);

void begin_time();

}  // namespace acqrel::model
