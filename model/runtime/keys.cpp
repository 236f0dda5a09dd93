// What a thread has for itself alone and takes down as it ends: the destructors of its thread_local objects, and the values
// of thread-specific keys.
// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "interpose.hpp"
#include "keys.hpp"
#include "memory.hpp"
#include "sync.hpp"

namespace acqrel::model {
namespace {

using destructor = void (*)(void*);

struct exit_call {
  destructor function;
  void* object;
};
std::vector<exit_call> exit_calls[max_threads];

struct key {
  pthread_key_t number;
  destructor at_exit;
};
// Keys that were made outside of a run, by the program's static objects, are there in every run. Others are numbered from
// where those of the C library end, by their thread, so that they have the same number whenever the execution runs again.
std::vector<key> lasting, of_run;
constexpr pthread_key_t first_of_run = PTHREAD_KEYS_MAX, of_each_thread = 256;
pthread_key_t made[max_threads];

struct value_of_key {
  pthread_key_t key;
  const void* value;
};
std::vector<value_of_key> values[max_threads];

const key* find(const std::vector<key>& keys, pthread_key_t number) {
  const auto it = std::find_if(keys.begin(), keys.end(), [number](const key& k) { return k.number == number; });
  return it == keys.end() ? nullptr : &*it;
}

const key* find(pthread_key_t number) { return find(number < first_of_run ? lasting : of_run, number); }

void call_destructor(destructor function, void* object) {
  const program_work theirs;
  function(object);
}

/// The next value that wants to be destroyed, which is null from now on.
bool take_value(exit_call& next) {
  for (value_of_key& v : values[self()]) {
    const key* const k = find(v.key);
    if (v.value == nullptr || k == nullptr || k->at_exit == nullptr) continue;
    next = {k->at_exit, const_cast<void*>(v.value)};
    v.value = nullptr;
    return true;
  }
  return false;
}

int add_exit_call(destructor function, void* object) {
  exit_calls[self()].push_back({function, object});
  return 0;
}

}  // namespace

void begin_keys() {
  of_run.clear();
  for (unsigned t = 0; t < max_threads; ++t) {
    exit_calls[t].clear();
    values[t].clear();
    made[t] = 0;
  }
}

void leave_thread() {
  const checker_work work;
  auto& calls = exit_calls[self()];
  while (!calls.empty()) {  // one may register another
    const exit_call next = calls.back();
    calls.pop_back();
    call_destructor(next.function, next.object);
  }
  // As glibc: a destructor may set values anew, and they are destroyed in their turn, but not for ever.
  exit_call next{};
  const auto most = PTHREAD_DESTRUCTOR_ITERATIONS * std::max<std::size_t>(values[self()].size(), 1);
  for (std::size_t n = 0; n < most && take_value(next); ++n) call_destructor(next.function, next.object);
}

}  // namespace acqrel::model

using namespace acqrel::model;

// ---- thread_local objects

namespace __cxxabiv1 {
// In <cxxabi.h>, and without its implementation's name in the C library.
ACQREL_INTERPOSED int __cxa_thread_atexit(void (*function)(void*), void* object, void* module) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled())
    return ACQREL_NEXT(__cxxabiv1::__cxa_thread_atexit, "__cxa_thread_atexit")(function, object, module);
  const checker_work work;
  return add_exit_call(function, object);
}
}  // namespace __cxxabiv1

extern "C" int __cxa_thread_atexit_impl(void (*function)(void*), void* object, void* module);

ACQREL_INTERPOSED int __cxa_thread_atexit_impl(void (*function)(void*), void* object, void* module) {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(__cxa_thread_atexit_impl)(function, object, module);
  const checker_work work;
  return add_exit_call(function, object);
}

// ---- keys

ACQREL_INTERPOSED int pthread_key_create(pthread_key_t* to, void (*at_exit)(void*)) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) {
    const int failed = ACQREL_C_LIBRARY(pthread_key_create)(to, at_exit);
    const checker_work work;
    if (failed == 0 && from_checked_code(here.address)) lasting.push_back({*to, at_exit});
    return failed;
  }
  const checker_work work;
  const thread_id me = self();
  if (made[me] == of_each_thread) return EAGAIN;
  plain_write(to, sizeof *to, here.site());
  *to = first_of_run + me * of_each_thread + made[me]++;
  of_run.push_back({*to, at_exit});
  return 0;
}

ACQREL_INTERPOSED int pthread_key_delete(pthread_key_t number) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) {
    const int failed = ACQREL_C_LIBRARY(pthread_key_delete)(number);
    const checker_work work;
    if (failed == 0) std::erase_if(lasting, [number](const key& k) { return k.number == number; });
    return failed;
  }
  const checker_work work;
  if (find(number) == nullptr) return EINVAL;
  // One that lasts would be missing in the next run.
  if (number < first_of_run) not_modelled("pthread_key_delete of a key that was made before the test", here.site());
  std::erase_if(of_run, [number](const key& k) { return k.number == number; });
  return 0;
}

ACQREL_INTERPOSED void* pthread_getspecific(pthread_key_t number) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_getspecific)(number);
  for (const value_of_key& v : values[self()]) {
    if (v.key == number) return const_cast<void*>(v.value);
  }
  return nullptr;
}

ACQREL_INTERPOSED int pthread_setspecific(pthread_key_t number, const void* value) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_setspecific)(number, value);
  const checker_work work;
  if (find(number) == nullptr) return EINVAL;
  auto& mine = values[self()];
  const auto it = std::find_if(mine.begin(), mine.end(), [number](const value_of_key& v) { return v.key == number; });
  if (it == mine.end()) {
    mine.push_back({number, value});
  } else {
    it->value = value;
  }
  return 0;
}
