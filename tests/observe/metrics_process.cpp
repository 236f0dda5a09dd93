// For prometheus_check.py: counts all the time, and answers each line of its input, "prometheus" or "openmetrics", with that
// text and a line of a dot.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/registry.hpp>

#include <iostream>
#include <thread>

int main() {
  acqrel::registry numbers;
  auto& requests =
      numbers.counter("planted_requests_total", "Requests \\ \"served\"\nby now.", {{"path", "/a\\b\"c\nd"}});
  auto& took = numbers.histogram("planted_request_seconds", "Time to answer.", {0.1, 1, 10}, {{"verb", "GET"}});
  numbers.gauge("planted_queue_ratio", "How full the queue is.").set(0.25);
  numbers.ask(acqrel::registry::kind::gauge, "planted_answers", "What is asked for.", {}, [] { return 42; });
  std::jthread service([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      requests.add();
      took.observe(i % 2 == 0 ? 0.5 : 50, {{"trace_id", "4bf92f3577b34da6"}});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (std::string format; std::getline(std::cin, format);)
    std::cout << (format == "openmetrics" ? numbers.openmetrics() : numbers.prometheus()) << ".\n" << std::flush;
}
