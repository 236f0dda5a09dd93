// Four threads work off jobs until none is left.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/crew.hpp>

#include <cstdio>

namespace {

void keep(const std::unique_ptr<acqrel::crew::job>&) { std::puts("not taken"); }

}  // namespace

int main() {
  acqrel::crew crew(4, acqrel::crew::any_number);  // at most 4 threads; any number of jobs waits for them
  auto work = acqrel::crew::make_job([] { std::puts("hello"); });
  if (!crew.add(work, acqrel::patience())) keep(work);  // false: it was closed, or patience ran out
  crew.close(acqrel::crew::ending::drain);              // any thread, any number of times
  if (crew.join(acqrel::patience())) std::puts("all threads have ended");
}
