// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/version_vector.hpp>

#include <stdexcept>

namespace acqrel {

void throw_version_vector_overflow() {
  throw std::overflow_error(
      "acqrel: version_vector: 2^64 - 1 writes of one writer; was it raised by what is no count? Give the writer a new "
      "id");
}

}  // namespace acqrel
