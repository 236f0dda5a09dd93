// A job is given to a pool that may have been stopped, and nobody looks whether it was taken.
//
// Document  Worker Lifecycle
// Refused   by the compiler
// Saying    ignoring return(ed)? value|nodiscard
// Instead   look at what post() returns, and do without the job where it is false; or keep the result of submit().
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/worker_pool.hpp>

#if defined(WRONG)
int refused(acqrel::worker_pool& pool) {
  int lost = 0;
  pool.post([] {});
  return lost;
}
#else
int refused(acqrel::worker_pool& pool) {
  int lost = 0;
  if (!pool.post([] {})) ++lost;
  return lost;
}
#endif

int main() {
  acqrel::worker_pool pool(1);
  pool.stop();
  return refused(pool) == 1 ? 0 : 1;
}
