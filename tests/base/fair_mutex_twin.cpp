// The real queue with one thing forgotten (CMakeLists.txt here says what), linked in place of the library's: the same
// body that passes in fair_mutex_model.cpp must go wrong.
// SPDX-License-Identifier: Apache-2.0
#include "fair_mutex_model.hpp"

namespace {

using namespace fair_mutex_model;

MODEL_FAILS(fair_mutex_twin, TWIN, TWIN_TROUBLE) { TWIN_BODY; }

}  // namespace
