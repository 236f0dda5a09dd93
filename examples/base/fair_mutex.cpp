// An account that one thread hogs and another gets at all the same.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/fair_mutex.hpp>

#include <cstdio>
#include <thread>

int main() {
  using namespace std::chrono_literals;
  acqrel::fair_mutex mutex;
  int balance = 0;
  std::thread payments([&] {
    for (int n = 0; n != 1000; ++n) {
      const acqrel::fair_lock lock(mutex);  // or std::unique_lock, std::scoped_lock
      balance += 5;
    }
  });
  if (mutex.try_lock_for(20ms)) {  // also try_lock_until, each also with a stop token; lock(stop)
    balance -= 3;
    mutex.unlock();
  }
  payments.join();
  std::printf("%s\n", balance == 4997 || balance == 5000 ? "nothing was lost" : "something was lost");
}
