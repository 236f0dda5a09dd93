// SPDX-License-Identifier: Apache-2.0
#include "caller.hpp"

#include <cstddef>
#include <cstdint>

#include "fiber.hpp"
#include "modules.hpp"
#include "run.hpp"
#include "sites.hpp"

namespace acqrel::model {
namespace {

const range* checked_code(const void* address) {
  static range last;  // mostly it is the same again
  if (last.contains(address)) return &last;
  for (const module& m : modules())
    if (m.part == module::role::checked)
      for (const range& code : m.code)
        if (code.contains(address)) return &(last = code);
  return nullptr;
}

/// Whether an instruction that ends there can be a call: e8 and a distance, or ff /2 in the forms compilers use.
bool follows_call(const unsigned char* at, const range& code) {
  const auto room = reinterpret_cast<const char*>(at) - code.first;
  if (room >= 5 && at[-5] == 0xe8) return true;
  if (room >= 6 && at[-6] == 0xff && (at[-5] == 0x15 || (at[-5] & 0xf8) == 0x90)) return true;
  if (room >= 3 && at[-3] == 0xff && (at[-2] & 0xf8) == 0x50) return true;
  return room >= 2 && at[-2] == 0xff && ((at[-1] & 0xf8) == 0xd0 || (at[-1] & 0xf8) == 0x10);
}

}  // namespace

const void* caller_in_program(const void* return_address, const void* frame) {
  if (checked_code(return_address) != nullptr) return return_address;
  thread_id owner = max_threads;
  constexpr std::size_t deepest = 512;  // words of library frames to look through
  if (is_on_stack(frame, &owner); owner == max_threads) return return_address;
  const auto* const words = static_cast<const void* const*>(frame);
  for (std::size_t i = 2; i < deepest; ++i) {  // above the saved frame pointer and the return address
    if (is_on_stack(words + i, &owner); owner == max_threads) break;
    const range* const code = checked_code(words[i]);
    if (code != nullptr && follows_call(static_cast<const unsigned char*>(words[i]), *code)) return words[i];
  }
  return return_address;
}

const void* operation_site(const void* return_address, const void* frame) {
  const checker_work work;
  const void* site = return_address;
  for (int depth = 0; depth < 16 && in_library_function(site); ++depth) {
    frame = *static_cast<const void* const*>(frame);
    thread_id owner = max_threads;
    if (is_on_stack(frame, &owner); owner == max_threads || reinterpret_cast<std::uintptr_t>(frame) % 16 != 0) break;
    site = static_cast<const void* const*>(frame)[1];
    const range* const code = checked_code(site);
    if (code == nullptr || !follows_call(static_cast<const unsigned char*>(site), *code)) break;
    if (!in_library_function(site)) return site;
  }
  return return_address;
}

}  // namespace acqrel::model
