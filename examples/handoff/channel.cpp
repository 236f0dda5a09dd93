// A producer, a consumer and the jobs between them.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/channel.hpp>

#include <cstdio>
#include <thread>

namespace {

struct job {
  int number;
};
void run(const job& one) { std::printf("job %d\n", one.number); }
void refuse(const job& one) { std::printf("job %d came too late\n", one.number); }

}  // namespace

int main() {
  acqrel::channel<job> jobs(acqrel::bounded(16));  // or rendezvous, or unbounded
  std::thread producer([&jobs] {
    for (int number = 1; number <= 20; ++number) {
      job next{number};
      if (!jobs.send(std::move(next))) refuse(std::move(next));  // any thread; waits for room. Closed: it is still ours
    }
    jobs.close();  // any thread, when no more will come
  });
  for (job& one : jobs) run(one);  // any thread; ends when it is closed and empty
  producer.join();
}
