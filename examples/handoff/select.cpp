// A worker that waits for whatever comes first.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/select.hpp>

#include <cstdio>
#include <thread>

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct job {
  int number;
};
void run(const job& one) { std::printf("job %d\n", one.number); }
void lost() { std::puts("nobody wants the result"); }
void serve() { std::puts("ready"); }
void use(const acqrel::versioned_ptr<int>& value) { std::printf("now %d\n", value ? *value : 0); }
void give_up() { std::puts("nothing came"); }
void clean_up() { std::puts("asked to stop"); }

}  // namespace

int main() {
  acqrel::channel<job> jobs(acqrel::bounded(4));
  acqrel::channel<job> results(acqrel::rendezvous);
  acqrel::event ready;
  acqrel::watch<int> current;
  auto changes = current.subscribe();
  std::stop_source source;
  const std::stop_token stop = source.get_token();
  std::thread boss([&] {
    if (!jobs.send({1})) lost();
  });
  job mine{7};
  acqrel::select(acqrel::on_receive(jobs,
                                    [](std::optional<job> one) {
                                      if (one) run(*one);
                                    }),  // none: drained
                 acqrel::on_send(results, std::move(mine),
                                 [](bool sent) {
                                   if (!sent) lost();
                                 }),  // false: closed
                 acqrel::on_event(ready, [] { serve(); }),
                 acqrel::on_watch(changes, [&] { use(changes.receive()); }),  // there is news, or no more
                 acqrel::on_deadline(steady_clock::now() + 1s, [] { give_up(); }),
                 acqrel::on_stop(stop, [] { clean_up(); }));  // returns which: 0 to 5
  boss.join();
}
