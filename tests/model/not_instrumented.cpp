// A program that is not compiled for the checker is told so, not that it passed.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <cstdio>

int main() {
  const acqrel::model::result r = acqrel::model::check([] {});
  std::printf("%s", r.report().c_str());
  const bool told = r.message.find("nothing of this program is compiled for the checker") != std::string::npos;
  return !r.passed() && told ? 0 : 1;
}
