// A cell of one's own, for those who build data structures. Applications use snapshot_source.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reclaim/hazard.hpp>

#include <cstdio>

namespace {

struct number : acqrel::hazard_object {
  explicit number(int n)
      : hazard_object([](hazard_object* o) noexcept { delete static_cast<number*>(o); }, &value), value(n) {}
  ~number() { std::printf("%d destroyed\n", value); }
  int value;
};

void use(const acqrel::hazard_object* object) { std::printf("%d used\n", *static_cast<const int*>(object->value())); }

}  // namespace

int main() {
  acqrel::hazard_cell cell;  // holds a hazard_object, or nothing
  acqrel::hazard_replace(cell, new number(1));
  number* const next = new number(2);
  acqrel::hazard_protection p = acqrel::hazard_protect(cell);  // any thread, wait-free
  use(p.object);
  acqrel::hazard_release(p);           // the same thread
  acqrel::hazard_replace(cell, next);  // any thread; the old one dies promptly
  acqrel::hazard_replace(cell, &acqrel::hazard_nothing);
  acqrel::drain();
}
