// SPDX-License-Identifier: Apache-2.0
#include "stops.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <typeinfo>

#include "fiber.hpp"
#include "scheduler.hpp"

namespace acqrel::model {
namespace {

/// The C library's function of that name, where ours stands in front of it.
template <class Function>
Function* underlying(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string name_of_type(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                    std::free);
  return text ? text.get() : type.name();
}

std::string why_terminated() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "std::terminate was called: a joinable std::thread was destroyed, or noexcept code threw";
  std::string text = "an exception was not caught: " + name_of_type(*type);
  try {
    throw;
  } catch (const std::exception& e) {
    text += std::string(": ") + e.what();
  } catch (...) {
  }
  return text;
}

}  // namespace

void stop_at_crash(int signal, void* address) {
  native = true;
  const void* const site = from_checked_code(crash_site()) ? crash_site() : nullptr;
  char text[160];
  if (is_below_stack(address)) {
    std::snprintf(text, sizeof text, "the stack of thread %u overflows: less recursion, or smaller local variables",
                  self());
  } else {
    std::snprintf(text, sizeof text, "signal %d (%s), address %p", signal, strsignal(signal), address);
  }
  fail(trouble_kind::crash, text, site);
}

void stop_at_silence(const void* site) {
  native = true;
  fail(trouble_kind::livelock,
       "thread " + std::to_string(self()) +
           " runs on and on without an operation on an atomic object or a lock: a loop that waits for plain data, or "
           "for "
           "nothing",
       from_checked_code(site) ? site : nullptr);
}

void stop_at_terminate() {
  if (native) std::abort();
  native = true;
  fail(trouble_kind::assertion, why_terminated());
}

}  // namespace acqrel::model

using namespace acqrel::model;

#define ACQREL_NEVER_RETURNS extern "C" __attribute__((visibility("default"), noreturn))

ACQREL_NEVER_RETURNS void __assert_fail(const char* condition, const char* file, unsigned line,
                                        const char* function) noexcept {
  if (native) {
    underlying<void(const char*, const char*, unsigned, const char*)>("__assert_fail")(condition, file, line, function);
    __builtin_unreachable();
  }
  native = true;
  fail(trouble_kind::assertion, std::string("assert(") + condition + ") failed", __builtin_return_address(0));
}

ACQREL_NEVER_RETURNS void abort() noexcept {
  if (native) {
    underlying<void()>("abort")();
    __builtin_unreachable();
  }
  native = true;
  fail(trouble_kind::assertion, "abort() was called", __builtin_return_address(0));
}
