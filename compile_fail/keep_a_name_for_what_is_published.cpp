// A value is published while its owner keeps it.
//
// Document  Q.2, M.4
// Refused   by the compiler
// Saying    cannot bind rvalue reference|no viable conversion|expects an rvalue
// Instead   give it away: std::move(value). From then on only readers have it, and only as const.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/snapshot_source.hpp>

#if defined(WRONG)
void install(acqrel::snapshot_source<int>& source, std::unique_ptr<int> value) { source.publish(value); }
#else
void install(acqrel::snapshot_source<int>& source, std::unique_ptr<int> value) { source.publish(std::move(value)); }
#endif

int main() {
  acqrel::snapshot_source<int> source;
  install(source, std::make_unique<int>(3));
  return *source.get_snapshot() == 3 ? 0 : 1;
}
