// A type of one's own that can be waited for: a door.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/waitable.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

class door : public acqrel::waitable<door> {  // gives it wait, wait_for and wait_until, each also with a stop token
 public:
  void open() noexcept {
    const std::uint32_t before = state_.exchange(opened, std::memory_order_release);
    if ((before & has_waiters) != 0) acqrel::unpark_all(state_);
  }

 private:
  friend class acqrel::waitable<door>;
  bool await(const acqrel::patience& patience) const noexcept {  // false: patience ran out first
    return patience.await(state_, has_waiters, [this] { return is_open(); });
  }
  bool is_open() const noexcept { return (state_.load(std::memory_order_acquire) & opened) != 0; }

  static constexpr std::uint32_t opened = 1;
  static constexpr std::uint32_t has_waiters = 2;
  mutable acqrel::park_word state_{0};
};

int main() {
  using namespace std::chrono_literals;
  door front;
  int letters = 0;
  std::printf("%s after 1 ms\n", front.wait_for(1ms) ? "open" : "still shut");
  std::thread postman([&] {
    letters = 3;
    front.open();
  });
  front.wait();
  std::printf("%d letters\n", letters);
  postman.join();
}
