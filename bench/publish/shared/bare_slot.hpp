// SPDX-License-Identifier: Apache-2.0
// The least a reader of this family can do: a slot of its own, in a shared library as acqrel's is. And the same behind a
// pointer, as it must be where others look at slots of threads that may have ended.
#pragma once

#include <atomic>

namespace bench {

extern constinit thread_local std::atomic<const void*> bare_slot;
extern constinit thread_local std::atomic<const void*>* bare_record;

}  // namespace bench
