// What is loaded into the process, and which of it is checked code: the executable, and every shared object that was
// compiled as for ThreadSanitizer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace acqrel::model {

/// Addresses from `first` up to but without `last`.
struct range {
  char* first = nullptr;
  char* last = nullptr;

  std::size_t size() const { return static_cast<std::size_t>(last - first); }
  bool contains(const void* p) const { return p >= first && p < last; }
};

struct module {
  enum class role : std::uint8_t {
    checked,      ///< its calls are modelled, its globals and thread_local objects begin anew in every run
    cxx_runtime,  ///< libstdc++: its calls are modelled, its thread_local objects begin anew
    other,        ///< libc, the unwinder, the checker, libraries without instrumentation
  };

  std::string name;  ///< path; empty for the executable
  role part = role::other;
  std::vector<range> code;
  std::vector<range> writable;  ///< without what is read-only after relocation
  std::size_t tls_id = 0;       ///< 0: it has no thread-local storage
  range tls_image;              ///< what a new thread's block begins with; the rest of it is zero
  std::size_t tls_size = 0;
};

/// Looks at what is loaded now.
void find_modules();
/// As find_modules() found it; the executable comes first.
const std::vector<module>& modules();
/// Whether this address is code of the executable, of an instrumented shared object or of libstdc++: calls from there are
/// the program's, all others are a library's own affair.
bool is_program_code(const void* address);

}  // namespace acqrel::model
