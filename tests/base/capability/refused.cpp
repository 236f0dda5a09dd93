// Four mistakes with locks. clang's -Wthread-safety must refuse each: CMakeLists.txt of tests/base compiles this file once
// for each, and once with none.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/publish/synchronized.hpp>

#include <mutex>

struct account {
  acqrel::fair_mutex mutex;
  long balance ACQREL_GUARDED_BY(mutex) = 0;

  void pay() {
#if !defined(FORGETS_TO_LOCK)
    const acqrel::fair_lock lock(mutex);
#endif
    balance += 5;
  }
  void pay_if_free() {
#if defined(FORGETS_TO_ASK)
    (void)mutex.try_lock_for(std::chrono::seconds(1));
    balance += 5;
    mutex.unlock();
#else
    if (!mutex.try_lock_for(std::chrono::seconds(1))) return;
    balance += 5;
    mutex.unlock();
#endif
  }
  bool pay_or_not(bool really) {
    mutex.lock();
    if (really) balance += 5;
#if defined(FORGETS_TO_UNLOCK)
    if (!really) return false;
#endif
    mutex.unlock();
    return really;
  }
  void pay_twice() {
    mutex.lock();
#if defined(LOCKS_TWICE)
    pay_locked_again();
    mutex.lock();
#endif
    pay_locked_again();
    mutex.unlock();
  }
  void pay_locked_again() ACQREL_REQUIRES(mutex) { balance += 5; }
};

inline long use(acqrel::synchronized<long>& guarded, acqrel::fair_mutex& one, acqrel::fair_mutex& other) {
  const std::scoped_lock both(one, other);
  (void)guarded.try_with_lock([](long& n) { ++n; });
  (void)guarded.try_with_lock_when_for(
      std::chrono::seconds(1), [](const long& n) { return n != 0; }, [](long& n) { ++n; });
  return guarded.with_lock([](const long& n) { return n; });
}
long (*const used)(acqrel::synchronized<long>&, acqrel::fair_mutex&, acqrel::fair_mutex&) = use;
