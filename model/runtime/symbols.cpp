// SPDX-License-Identifier: Apache-2.0
#include "symbols.hpp"

#include <backtrace.h>
#include <cxxabi.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace acqrel::model {
namespace {

void no_symbol(void*, const char*, int) {}

void take_symbol(void* text, std::uintptr_t address, const char* name, std::uintptr_t begin, std::uintptr_t size) {
  if (name == nullptr || address - begin >= (size == 0 ? 1 : size)) return;
  // Without the mark of a mangled name it would be read as that of a type: `m` as unsigned long.
  const bool mangled = name[0] == '_' && name[1] == 'Z';
  const std::unique_ptr<char, void (*)(void*)> readable(
      mangled ? abi::__cxa_demangle(name, nullptr, nullptr, nullptr) : nullptr, std::free);
  std::string& found = *static_cast<std::string*>(text);
  if (address != begin) found = "byte " + std::to_string(address - begin) + " of ";
  found += std::string("global `") + (readable != nullptr ? readable.get() : name) + "`";
}

}  // namespace

std::string global_at(const void* p) {
  static backtrace_state* const symbols = backtrace_create_state(nullptr, 0, no_symbol, nullptr);
  std::string found;
  if (symbols != nullptr)
    backtrace_syminfo(symbols, reinterpret_cast<std::uintptr_t>(p), take_symbol, no_symbol, &found);
  return found;
}

}  // namespace acqrel::model
