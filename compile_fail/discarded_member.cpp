// A member of a wait group is made and dropped: it has left before its work has begun.
//
// Document  sync.WaitGroup
// Refused   by the compiler
// Saying    ignoring return(ed)? value|nodiscard
// Instead   give the member to whoever does the work, who drops it at the end.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/wait_group.hpp>

#include <thread>

#if defined(WRONG)
int work_and_wait() {
  acqrel::wait_group group;
  int done = 0;
  group.enter();
  std::thread worker([&] { done = 1; });
  group.wait();
  const int seen = done;
  worker.join();
  return seen;
}
#else
int work_and_wait() {
  acqrel::wait_group group;
  int done = 0;
  std::thread worker([&done, member = group.enter()] { done = 1; });
  group.wait();
  const int seen = done;
  worker.join();
  return seen;
}
#endif

int main() { return work_and_wait() == 1 ? 0 : 1; }
