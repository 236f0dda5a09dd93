// SPDX-License-Identifier: Apache-2.0
#include "path_chain.hpp"

#include <climits>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace acqrel {
namespace {

// What is left to look up, the next name last.
using names = std::vector<std::string>;

void push_names(names& left, std::string_view path) {
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    const auto name = slash == path.npos ? path : path.substr(slash + 1);
    if (!name.empty() && name != ".") left.emplace_back(name);
    path = path.substr(0, slash == path.npos ? 0 : slash);
  }
}

std::string link_target(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  target.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return target;
}

path_step look_up(std::string in, std::string name) {
  path_step step{std::move(in), std::move(name)};
  struct stat found;
  if (lstat(step.path().c_str(), &found) != 0) return step;
  step.what = S_ISLNK(found.st_mode)   ? path_step::kind::link
              : S_ISDIR(found.st_mode) ? path_step::kind::directory
                                       : path_step::kind::other;
  step.device = found.st_dev;
  step.inode = found.st_ino;
  return step;
}

}  // namespace

std::vector<path_step> follow_path(const std::string& absolute) {
  constexpr int most_links = 40;  // the kernel's own limit before ELOOP
  std::vector<path_step> chain;
  names left;
  push_names(left, absolute);
  std::string at = "/";
  int links = 0;
  while (!left.empty()) {
    std::string name = std::move(left.back());
    left.pop_back();
    if (name == "..") {
      at.resize(at.rfind('/'));  // `at` holds no link, so its parent is its text without the last name
      if (at.empty()) at = "/";
      continue;
    }
    path_step step = look_up(at, std::move(name));
    const std::string path = step.path();
    chain.push_back(std::move(step));
    switch (chain.back().what) {
      case path_step::kind::directory: at = path; break;
      case path_step::kind::link: {
        const std::string target = link_target(path);
        if (target.empty() || ++links > most_links) return chain;
        if (target.front() == '/') at = "/";
        push_names(left, target);
        break;
      }
      case path_step::kind::other:
      case path_step::kind::missing: return chain;
    }
  }
  return chain;
}

}  // namespace acqrel
