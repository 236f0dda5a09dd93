// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/synchronized.hpp>

#include <stdexcept>

namespace acqrel {

void throw_synchronized_within_itself() {
  throw std::logic_error(
      "synchronized: called inside a function that this thread runs under the lock of the same object, and would wait "
      "for itself; use the reference that the function was given");
}

}  // namespace acqrel
