// A value is published and kept: two now look alike, and one of them may still be changed.
//
// Document  M.4
// Refused   by the compiler
// Saying    publish\(std::move\(value\)\), or emplace\(value\) to copy it
// Instead   give it away with std::move, or say that a copy is wanted: emplace(value).
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/one_shot.hpp>

#include <string>

#if defined(WRONG)
bool name(acqrel::one_shot<std::string>& cell, const std::string& value) { return cell.publish(value); }
#else
bool name(acqrel::one_shot<std::string>& cell, const std::string& value) { return cell.emplace(value); }
#endif

int main() {
  acqrel::one_shot<std::string> cell;
  return name(cell, "a") && !name(cell, "b") ? 0 : 1;
}
