// memcpy and its kin. No compiler instruments them, and code of the C++ runtime library, which is not instrumented at all,
// fills its strings with them: here they count as plain accesses of whoever called. The checker's own calls end here, too,
// but are nobody's.
// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include <cstddef>
#include <cstring>

#include "block_copy.hpp"
#include "caller.hpp"
#include "memory.hpp"
#include "run.hpp"

extern "C" [[noreturn]] void __chk_fail() noexcept;

namespace acqrel::model {
namespace {

using copying = void* (*)(void*, const void*, std::size_t);
using filling = void* (*)(void*, int, std::size_t);
using comparing = int (*)(const void*, const void*, std::size_t);

// The C library's, once they are looked up: until then the loader and other libraries may call already.
copying copy = nullptr;
copying move = nullptr;
filling fill = nullptr;
comparing compare = nullptr;

[[gnu::constructor(101)]] void find_functions() {
  compare = reinterpret_cast<comparing>(dlsym(RTLD_NEXT, "memcmp"));
  fill = reinterpret_cast<filling>(dlsym(RTLD_NEXT, "memset"));
  move = reinterpret_cast<copying>(dlsym(RTLD_NEXT, "memmove"));
  copy = reinterpret_cast<copying>(dlsym(RTLD_NEXT, "memcpy"));
}

void* move_early(void* to, const void* from, std::size_t size) {
  auto* const target = static_cast<volatile char*>(to);
  const auto* const source = static_cast<const volatile char*>(from);
  if (to <= from)
    copy_block(to, from, size);
  else
    for (std::size_t i = size; i-- > 0;) target[i] = source[i];
  return to;
}

void* fill_early(void* to, int byte, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) static_cast<volatile char*>(to)[i] = static_cast<char>(byte);
  return to;
}

int compare_early(const void* a, const void* b, std::size_t size) {
  const auto* const left = static_cast<const volatile unsigned char*>(a);
  const auto* const right = static_cast<const volatile unsigned char*>(b);
  for (std::size_t i = 0; i < size; ++i)
    if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
  return 0;
}

struct caller {
  const void* address;
  const void* frame;
  bool checked() const { return !native && from_checked_code(address); }
};

[[gnu::noinline]] void note(const void* to, const void* from, const void* other, std::size_t size, const caller& who) {
  const checker_work work;
  const void* const site = caller_in_program(who.address, who.frame);
  if (from != nullptr) plain_read(from, size, site);
  if (other != nullptr) plain_read(other, size, site);
  if (to != nullptr) plain_write(to, size, site);
}

void* copy_for(void* to, const void* from, std::size_t size, const caller& who) {
  if (who.checked()) note(to, from, nullptr, size, who);
  return copy != nullptr ? copy(to, from, size) : move_early(to, from, size);
}

void* move_for(void* to, const void* from, std::size_t size, const caller& who) {
  if (who.checked()) note(to, from, nullptr, size, who);
  return move != nullptr ? move(to, from, size) : move_early(to, from, size);
}

void* fill_for(void* to, int byte, std::size_t size, const caller& who) {
  if (who.checked()) note(to, nullptr, nullptr, size, who);
  return fill != nullptr ? fill(to, byte, size) : fill_early(to, byte, size);
}

int compare_for(const void* a, const void* b, std::size_t size, const caller& who) {
  if (who.checked()) note(nullptr, a, b, size, who);
  return compare != nullptr ? compare(a, b, size) : compare_early(a, b, size);
}

}  // namespace
}  // namespace acqrel::model

#define ACQREL_CALLER (acqrel::model::caller{__builtin_return_address(0), __builtin_frame_address(0)})
#define ACQREL_EXPORTED __attribute__((visibility("default")))

using namespace acqrel::model;

extern "C" {

ACQREL_EXPORTED void* memcpy(void* to, const void* from, std::size_t n) noexcept {
  return copy_for(to, from, n, ACQREL_CALLER);
}
ACQREL_EXPORTED void* memmove(void* to, const void* from, std::size_t n) noexcept {
  return move_for(to, from, n, ACQREL_CALLER);
}
ACQREL_EXPORTED void* memset(void* to, int byte, std::size_t n) noexcept {
  return fill_for(to, byte, n, ACQREL_CALLER);
}
ACQREL_EXPORTED int memcmp(const void* a, const void* b, std::size_t n) noexcept {
  return compare_for(a, b, n, ACQREL_CALLER);
}

// What clang calls in instrumented code.
ACQREL_EXPORTED void* __tsan_memcpy(void* to, const void* from, std::size_t n) noexcept {
  return copy_for(to, from, n, ACQREL_CALLER);
}
ACQREL_EXPORTED void* __tsan_memmove(void* to, const void* from, std::size_t n) noexcept {
  return move_for(to, from, n, ACQREL_CALLER);
}
ACQREL_EXPORTED void* __tsan_memset(void* to, int byte, std::size_t n) noexcept {
  return fill_for(to, byte, n, ACQREL_CALLER);
}

// What _FORTIFY_SOURCE makes of them.
ACQREL_EXPORTED void* __memcpy_chk(void* to, const void* from, std::size_t n, std::size_t room) noexcept {
  if (n > room) __chk_fail();
  return copy_for(to, from, n, ACQREL_CALLER);
}
ACQREL_EXPORTED void* __memmove_chk(void* to, const void* from, std::size_t n, std::size_t room) noexcept {
  if (n > room) __chk_fail();
  return move_for(to, from, n, ACQREL_CALLER);
}
ACQREL_EXPORTED void* __memset_chk(void* to, int byte, std::size_t n, std::size_t room) noexcept {
  if (n > room) __chk_fail();
  return fill_for(to, byte, n, ACQREL_CALLER);
}

}  // extern "C"
