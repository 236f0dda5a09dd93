// docs/patterns/select-any-of-n.md: wait for whichever comes first, and do just that.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/select.hpp>

#include <cstdio>
#include <thread>

namespace {

using namespace std::chrono_literals;

struct request {
  int number;
};
void handle(const request& asked) { std::printf("handled %d\n", asked.number); }
void say_that_it_is_quiet() { std::puts("nothing for ten seconds"); }

}  // namespace

// [select-any]
// Until stop is requested, or one of the two is closed and drained.
void serve(acqrel::channel<request>& urgent, acqrel::channel<request>& usual, const std::stop_token& stop) {
  bool going = true;
  const auto take = [&](std::optional<request> asked) {
    if (asked) handle(*asked);
    going = asked.has_value();
  };
  while (going) {
    acqrel::select(acqrel::on_receive(urgent, take), acqrel::on_receive(usual, take),
                   acqrel::on_deadline(acqrel::deadline_after(10s), say_that_it_is_quiet),
                   acqrel::on_stop(stop, [&] { going = false; }));
  }
}
// [/select-any]

namespace wrong {

// [select-any-wrong]
void serve(acqrel::channel<request>& urgent, acqrel::channel<request>& usual, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (auto asked = urgent.receive_for(1ms)) handle(*asked);
    if (auto asked = usual.receive_for(1ms)) handle(*asked);
  }
}
// [/select-any-wrong]

}  // namespace wrong

int main() {
  acqrel::channel<request> urgent(acqrel::rendezvous), usual(acqrel::bounded(16));
  for (const auto server : {serve, wrong::serve}) {
    std::stop_source source;
    std::thread serving([&] { server(urgent, usual, source.get_token()); });
    if (!urgent.send({1})) std::puts("refused");
    if (!usual.send({2})) std::puts("refused");
    source.request_stop();
    serving.join();
  }
}
