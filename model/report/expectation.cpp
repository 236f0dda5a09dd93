// What a test says must hold.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <cstdio>
#include <cstdlib>

#include "../runtime/run.hpp"

namespace acqrel::model {

void expect(bool holds, const char* what) {
  if (holds) return;
  const std::string text = "expect() does not hold" + (*what == '\0' ? std::string() : ": " + std::string(what));
  if (native) {
    std::fprintf(stderr, "acqrel::model: %s, outside of a check\n", text.c_str());
    std::abort();
  }
  const checker_work guard;
  fail(trouble_kind::assertion, text, __builtin_return_address(0));
}

}  // namespace acqrel::model

extern "C" [[gnu::visibility("default")]] int acqrel_model_running() { return acqrel::model::native ? 0 : 1; }

extern "C" [[gnu::visibility("default"), noreturn]] void acqrel_model_fail_expectation(const char* file, int line,
                                                                                       const char* what,
                                                                                       const char* more,
                                                                                       const void* site) {
  const acqrel::model::checker_work guard;
  std::string text = std::string(file == nullptr ? "?" : file) + ":" + std::to_string(line) + ": " + what;
  if (*more != '\0') text += "\n" + std::string(more);
  acqrel::model::fail(acqrel::model::trouble_kind::assertion, text, site);
}
