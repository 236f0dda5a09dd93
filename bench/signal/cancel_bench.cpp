// SPDX-License-Identifier: Apache-2.0
// Asking whether to stop, as a loop does in each turn.
#include <acqrel/signal/cancel.hpp>

#include <atomic>
#include <memory>
#include <stop_token>

#include "bench/harness.hpp"

namespace bench {
namespace {

template <class Shared>
void enter_poll(const char* contender) {
  enter({.type = "cancel",
         .operation = "poll",
         .contender = contender,
         .variation = "read_only",
         .threads = 1,
         .environment = {}},
        [] {
          return [shared = std::make_shared<Shared>()](turn& now) {
            const auto token = shared->token();
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 1024; ++i, ++done) keep(shared->stopped(token));
            } while (now.running());
            now.end(done);
          };
        });
}

struct flag {
  std::shared_ptr<std::atomic<bool>> token() const { return word; }
  static bool stopped(const std::shared_ptr<std::atomic<bool>>& token) {
    return token->load(std::memory_order_acquire);
  }
  std::shared_ptr<std::atomic<bool>> word = std::make_shared<std::atomic<bool>>(false);
};
struct standard {
  std::stop_token token() const { return source.get_token(); }
  static bool stopped(const std::stop_token& token) { return token.stop_requested(); }
  std::stop_source source{};
};
struct ours {
  acqrel::cancel_token token() const { return source.token(); }
  static bool stopped(const acqrel::cancel_token& token) { return token.cancelled(); }
  acqrel::cancel_source source{};
};

[[maybe_unused]] const bool entered = [] {
  enter_poll<flag>("floor: one load");
  enter_poll<standard>("ref: std::stop_token");
  enter_poll<ours>("acqrel");
  goal({.type = "cancel",
        .operation = "poll",
        .variation = "read_only",
        .threads = 1,
        .contender = "acqrel",
        .against = "ref: std::stop_token",
        .at_most = 1.1});
  return true;
}();

}  // namespace
}  // namespace bench
