// What watches references directly: an object that counts its ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/reclaim/hazard.hpp>

#include <memory>

/// Adds one to `deaths` when it is destroyed.
struct counted_object : acqrel::hazard_object {
  explicit counted_object(int* d) : hazard_object(&destroy, this), deaths(d) {}
  static void destroy(hazard_object* o) noexcept {
    const std::unique_ptr<counted_object> self(static_cast<counted_object*>(o));
    ++*self->deaths;
  }
  int* deaths;
};
