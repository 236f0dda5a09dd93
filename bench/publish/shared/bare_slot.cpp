// SPDX-License-Identifier: Apache-2.0
#include "bench/publish/shared/bare_slot.hpp"

namespace bench {

constinit thread_local std::atomic<const void*> bare_slot{nullptr};
constinit thread_local std::atomic<const void*>* bare_record = nullptr;

}  // namespace bench
