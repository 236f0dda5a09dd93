// The function that makes a value asks for that value.
//
// Document  RetryOnce, "calling Do inside f"; Appendix C
// Refused   when it runs
// Saying    asked for again from within
// Instead   let the function do without its own result. Here as an error; sync.Once and std::call_once hang.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/lazy.hpp>

#if defined(WRONG)
int make();
constinit acqrel::lazy<int (*)()> answer(make);
int make() { return answer.get() + 1; }
#else
int make() { return 42; }
constinit acqrel::lazy<int (*)()> answer(make);
#endif

int main() { return answer.get() == 42 ? 0 : 1; }
