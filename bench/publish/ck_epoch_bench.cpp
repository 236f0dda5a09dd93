// SPDX-License-Identifier: Apache-2.0
extern "C" {
#include <ck_pr.h>
// ck_stack.h assigns the void* of this exchange to a stack entry, as C allows and C++ does not.
#define ck_pr_fas_ptr(target, value) static_cast<struct ck_stack_entry*>(ck_pr_fas_ptr(target, value))
#include <ck_epoch.h>
#undef ck_pr_fas_ptr
}

#include "bench/publish/contest.hpp"
#include "bench/publish/measure.hpp"
#include "bench/publish/values.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

namespace {

template <class T>
struct concurrency_kit {
  struct node {
    explicit node(std::uint64_t number) : value(number) {}
    T value;
    ck_epoch_entry_t entry;
  };
  concurrency_kit() : current(new node(1)) { ck_epoch_init(&epoch); }
  ~concurrency_kit() { delete current.load(); }  // every session ended with a barrier, so nothing waits
  concurrency_kit(const concurrency_kit&) = delete;
  concurrency_kit& operator=(const concurrency_kit&) = delete;

  struct guard {
    guard(ck_epoch_record_t* record, node* found) : mine(record), held(found) {}
    ~guard() { ck_epoch_end(mine, nullptr); }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    const T* operator->() const { return &held->value; }
    ck_epoch_record_t* mine;
    node* held;
  };
  struct reader_of_one {
    [[gnu::always_inline]] guard read() const {
      ck_epoch_begin(mine, nullptr);
      return guard(mine, current->load(std::memory_order_acquire));
    }
    ck_epoch_record_t* mine;
    std::atomic<node*>* current;
  };
  struct session {
    explicit session(concurrency_kit& contender) : all(contender), mine(ck_epoch_recycle(&all.epoch, nullptr)) {
      if (mine != nullptr) return;
      std::lock_guard lock(all.mutex);
      mine = &all.records.emplace_back();
      ck_epoch_register(&all.epoch, mine, nullptr);
    }
    ~session() {
      ck_epoch_barrier(mine);
      ck_epoch_unregister(mine);
    }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    reader_of_one reader() { return {mine, &all.current}; }
    void publish(std::uint64_t number) {
      node* old = all.current.exchange(new node(number), std::memory_order_acq_rel);
      ck_epoch_call(mine, &old->entry, [](ck_epoch_entry_t* entry) {
        delete reinterpret_cast<node*>(reinterpret_cast<std::byte*>(entry) - __builtin_offsetof(node, entry));
      });
    }
    void quiesce() {
      if (mine->n_pending != 0) ck_epoch_poll(mine);
    }
    concurrency_kit& all;
    ck_epoch_record_t* mine;
  };
  std::atomic<node*> current;
  ck_epoch_t epoch;
  std::mutex mutex;  // ck_epoch_register may run beside others; the deque may not
  std::deque<ck_epoch_record_t> records;
};

template <class T>
void drain(concurrency_kit<T>&, typename concurrency_kit<T>::session& session) {
  ck_epoch_barrier(session.mine);
}

[[maybe_unused]] const bool entered = [] {
  bench::enter_timings<concurrency_kit>("ck_epoch");
  bench::enter_measurements<concurrency_kit>("ck_epoch");
  return true;
}();

}  // namespace
