// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/registry.hpp>

#include <cstdio>

namespace {

void send(const std::string& text) { std::fputs(text.c_str(), stdout); }

}  // namespace

int main() {
  const double seconds = 0.02;
  acqrel::registry numbers;
  acqrel::sharded_counter& ok = numbers.counter("http_requests_total", "Answers sent.", {{"code", "200"}});
  acqrel::histogram& took = numbers.histogram("http_request_seconds", "Time to answer.", {0.001, 0.01, 0.1, 1});
  ok.add();  // any thread, without the registry
  took.observe(seconds);
  send(numbers.prometheus());  // what GET /metrics answers
  return ok.value() == 1 ? 0 : 1;
}
