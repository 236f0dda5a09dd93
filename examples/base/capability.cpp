// A lock of one's own that clang's analysis understands: compile with clang++ -Wthread-safety and forget a line.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/capability.hpp>

#include <cstdio>
#include <mutex>

class ACQREL_CAPABILITY("mutex") gate {
 public:
  void lock() ACQREL_ACQUIRE();
  void unlock() ACQREL_RELEASE();

 private:
  std::mutex mutex_;
};

void gate::lock() ACQREL_UNCHECKED { mutex_.lock(); }
void gate::unlock() ACQREL_UNCHECKED { mutex_.unlock(); }

gate front;
long visitors ACQREL_GUARDED_BY(front) = 0;  // clang -Wthread-safety: only between front.lock() and front.unlock()

int main() {
  front.lock();
  ++visitors;
  std::printf("%ld visitor\n", visitors);
  front.unlock();
}
