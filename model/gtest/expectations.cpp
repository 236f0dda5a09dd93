// GoogleTest's expectations in a checked program. The linker leads the test's calls of two functions of GoogleTest here
// (--wrap, see acqrel_model_test()): within a run a failing expectation becomes a failure of the run, before GoogleTest
// locks, allocates or remembers anything that the next run would take back.
//
// This is linked into the test, so it is C in all but name: an inline function of the standard library compiled here, without
// instrumentation, could be merged with the test's own.
// SPDX-License-Identifier: Apache-2.0

extern "C" {

// Of libacqrel_model.
int acqrel_model_running();
[[noreturn]] void acqrel_model_fail_expectation(const char* file, int line, const char* what, const char* more,
                                                const void* site);

void acqrel_model_tests_are_built_by_acqrel_model_test() {}

// testing::internal::AssertHelper::AssertHelper(TestPartResult::Type, const char* file, int line, const char* message)
void __real__ZN7testing8internal12AssertHelperC1ENS_14TestPartResult4TypeEPKciS5_(void*, int, const char*, int,
                                                                                  const char*);
// void AssertHelper::operator=(const Message&) const
void __real__ZNK7testing8internal12AssertHelperaSERKNS_7MessageE(const void*, const void*);
// std::string Message::GetString() const; the string is built at `result`
[[gnu::weak]] void _ZNK7testing7Message9GetStringB5cxx11Ev(void* result, const void* message);

// An expectation constructs its helper and assigns the message at once, so one is enough.
static struct {
  int type;
  const char* file;
  int line;
  const char* message;
} last;

void __wrap__ZN7testing8internal12AssertHelperC1ENS_14TestPartResult4TypeEPKciS5_(void* self, int type,
                                                                                  const char* file, int line,
                                                                                  const char* message) {
  last = {type, file, line, message};
  constexpr int success = 0;
  // A helper that fails a run is never destroyed.
  if (type == success || !acqrel_model_running())
    __real__ZN7testing8internal12AssertHelperC1ENS_14TestPartResult4TypeEPKciS5_(self, type, file, line, message);
}

void __wrap__ZNK7testing8internal12AssertHelperaSERKNS_7MessageE(const void* self, const void* message) {
  if (!acqrel_model_running()) return __real__ZNK7testing8internal12AssertHelperaSERKNS_7MessageE(self, message);
  constexpr int success = 0, skip = 3;
  if (last.type == success) return;
  const char* more = "";
  alignas(16) const char* text[8] = {};  // a std::string: its first word points at the characters
  if (_ZNK7testing7Message9GetStringB5cxx11Ev != nullptr) {
    _ZNK7testing7Message9GetStringB5cxx11Ev(text, message);
    more = text[0];
  }
  acqrel_model_fail_expectation(
      last.file, last.line,
      last.type == skip ? "GTEST_SKIP() in a model test: leave the test out instead" : last.message, more,
      __builtin_return_address(0));
}
}
