// SPDX-License-Identifier: Apache-2.0
#include <cds/gc/hp.h>
#include <cds/init.h>

#include "bench/publish/contest.hpp"
#include "bench/publish/measure.hpp"
#include "bench/publish/values.hpp"

#include <atomic>
#include <cstdint>

namespace {

using hazard = cds::gc::HP;

// One collector for the process, as the library wants it: 4 hazards a thread, up to 64 threads.
void start_library() {
  static const struct library {
    library() {
      cds::Initialize();
      collector = new hazard(4, 64);
    }
    ~library() {
      delete collector;
      cds::Terminate();
    }
    hazard* collector;
  } started;
}

template <class T>
struct libcds {
  libcds() : current(nullptr) {
    start_library();
    current.store(new T(1));
  }
  ~libcds() { delete current.load(); }
  libcds(const libcds&) = delete;
  libcds& operator=(const libcds&) = delete;

  struct guard {
    explicit guard(const std::atomic<T*>& from) : held(slot.protect(from)) {}
    const T* operator->() const { return held; }
    hazard::Guard slot;
    T* held;
  };
  struct reader_of_one {
    [[gnu::always_inline]] guard read() const { return guard(*current); }
    std::atomic<T*>* current;
  };
  struct session {
    explicit session(libcds& contender) : all(contender) { cds::threading::Manager::attachThread(); }
    ~session() {
      hazard::scan();
      cds::threading::Manager::detachThread();
    }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    reader_of_one reader() { return {&all.current}; }
    void publish(std::uint64_t number) {
      hazard::retire(all.current.exchange(new T(number), std::memory_order_acq_rel),
                     [](void* old) { delete static_cast<T*>(old); });
    }
    void quiesce() {}
    libcds& all;
  };
  std::atomic<T*> current;
};

template <class T>
void drain(libcds<T>&, typename libcds<T>::session&) {
  hazard::scan();
}

[[maybe_unused]] const bool entered = [] {
  bench::enter_timings<libcds>("libcds hazard pointer");
  bench::enter_measurements<libcds>("libcds hazard pointer");
  return true;
}();

}  // namespace
