// SPDX-License-Identifier: Apache-2.0
#include "child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

extern char** environ;

namespace bench {

child::child(const std::vector<std::string>& arguments, const std::string& environment) {
  std::vector<std::string> all{"benchmarks"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  start("/proc/self/exe", std::move(all), environment);
}

child::child(const std::string& neighbour) {
  start(std::filesystem::read_symlink("/proc/self/exe").parent_path() / neighbour, {neighbour}, {});
}

void child::start(const std::string& program, std::vector<std::string> arguments, std::string environment) {
  int down[2], up[2];
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "no pipe to a child process of the benchmarks");
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, down[0], 0);
  posix_spawn_file_actions_adddup2(&files, up[1], 1);

  std::vector<char*> argv, env;
  for (auto& each : arguments) argv.push_back(each.data());
  argv.push_back(nullptr);
  const std::size_t name = environment.find('=') + 1;
  for (char** each = environ; *each != nullptr; ++each)
    if (environment.empty() || std::strncmp(*each, environment.c_str(), name) != 0) env.push_back(*each);
  if (!environment.empty()) env.push_back(environment.data());
  env.push_back(nullptr);

  const int failed = posix_spawn(&pid_, program.c_str(), &files, nullptr, argv.data(), env.data());
  posix_spawn_file_actions_destroy(&files);
  close(down[0]);
  close(up[1]);
  if (failed != 0)
    throw std::system_error(failed, std::generic_category(), "could not start " + program + " as a child process");
  to_ = fdopen(down[1], "w");
  from_ = fdopen(up[0], "r");
  if (to_ == nullptr || from_ == nullptr) throw std::runtime_error("no stream to a child process of the benchmarks");
}

child::~child() {
  if (to_ != nullptr) std::fclose(to_);  // the child reads the end of its input and leaves
  if (from_ != nullptr) std::fclose(from_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

void child::send(const std::string& line) {
  std::fputs((line + '\n').c_str(), to_);
  std::fflush(to_);
}

bool child::receive(std::string& line) {
  line.clear();
  for (int c; (c = std::fgetc(from_)) != EOF;) {
    if (c == '\n') return true;
    line.push_back(static_cast<char>(c));
  }
  return false;
}

void child::join(const std::string& what) {
  std::fclose(to_);
  to_ = nullptr;
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  if (WIFSIGNALED(status))
    throw std::runtime_error(what + ": its child process was ended by signal " + std::to_string(WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0)
    throw std::runtime_error(what + ": its child process ended with status " + std::to_string(WEXITSTATUS(status)));
}

}  // namespace bench
