// What the addresses of this process are called.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace acqrel {

/// A range of code, and the file that it was mapped from.
struct code_module {
  std::uintptr_t begin, end, file_offset;
  std::string path;
};

class symbols {
 public:
  /// Reads the symbols of all modules that are loaded now. What cannot be read has no names.
  symbols();

  /// Of the function that `address` is in; empty if that is not known.
  [[nodiscard]] std::string name(std::uintptr_t address) const;
  /// Where in modules() it is; their number if nowhere.
  [[nodiscard]] std::size_t module_of(std::uintptr_t address) const noexcept;
  [[nodiscard]] const std::vector<code_module>& modules() const noexcept { return modules_; }

 private:
  struct function {
    std::uintptr_t begin, end;
    std::string name;
  };
  void read(const char* path, std::uintptr_t base);
  void read_table(const char* file, std::size_t size, std::uint32_t type, std::uintptr_t base);

  std::vector<code_module> modules_;
  std::vector<function> functions_;  // by their beginnings
};

}  // namespace acqrel
