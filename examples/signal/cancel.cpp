// A request that its client, its deadline or the end of the service may cancel.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/signal/cancel.hpp>

#include <cstdio>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {
struct client_went_away : std::exception {
  const char* what() const noexcept override { return "the client went away"; }
};
void work_a_little() { std::this_thread::yield(); }
inline constexpr acqrel::cancel_key<std::string> current_trace;
}  // namespace

int main() {
  const acqrel::cancel_source all_requests;
  const acqrel::cancel_token service = all_requests.token();

  acqrel::cancel_source request(service, acqrel::deadline_after(2s));  // cancelled with `service`, or after 2 s
  acqrel::cancel_token token = request.token();                        // handed to whoever works for it
  std::thread worker([token = token.with(current_trace, "request 7")] {
    const acqrel::cancel_callback close(token, [] { std::puts("closing the connection"); });
    while (!token.cancelled()) work_a_little();
    try {
      token.throw_if_cancelled();
    } catch (const std::exception& cause) {
      std::printf("%s: %s\n", token.value(current_trace)->c_str(), cause.what());
    }
  });
  request.cancel(std::make_exception_ptr(client_went_away()));  // the first cause wins: token.cause()
  worker.join();
  return service.cancelled() ? 1 : 0;
}
