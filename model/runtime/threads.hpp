// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "../core/event.hpp"

namespace acqrel::model {

/// What gettid() says of a model thread.
constexpr pid_t kernel_id_of(thread_id t) { return 1'000 + t; }

/// Before every run.
void begin_threads();

}  // namespace acqrel::model
