// SPDX-License-Identifier: Apache-2.0
// bench/child.hpp - this program once more, as a process of its own: for contenders whose environment variable is read once
// per process, and for measurements of memory, which earlier benchmarks would blur; and programs that stand beside it, for
// contenders in another language.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace bench {

class child {
 public:
  /// Starts this program with these arguments and, if not empty, one more environment variable, NAME=value.
  child(const std::vector<std::string>& arguments, const std::string& environment);
  /// Starts the program of that name in this program's folder.
  explicit child(const std::string& neighbour);
  ~child();
  child(child&&) = delete;

  void send(const std::string& line);
  /// The next line without its end; false when the child has closed its output.
  bool receive(std::string& line);
  /// Waits until the child has ended; throws if it did not end well. what names its work.
  void join(const std::string& what);

 private:
  void start(const std::string& program, std::vector<std::string> arguments, std::string environment);

  pid_t pid_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace bench
