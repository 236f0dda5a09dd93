// SPDX-License-Identifier: Apache-2.0
// The least a reader of this family can do: a slot of its own, in a shared library as acqrel's is.
#pragma once

#include <atomic>

namespace bench {

extern constinit thread_local std::atomic<const void*> bare_slot;

}  // namespace bench
