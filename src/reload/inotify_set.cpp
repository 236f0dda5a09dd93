// SPDX-License-Identifier: Apache-2.0
#include "inotify_set.hpp"

#if defined(__linux__)

#include <cerrno>
#include <cstring>
#include <string_view>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

namespace acqrel {
namespace {

constexpr std::uint32_t itself = IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t entries = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB;
constexpr std::uint32_t writes = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;

}  // namespace

inotify_set::~inotify_set() { close_all(); }

void inotify_set::close_all() noexcept {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
  watches_.clear();
}

bool inotify_set::follow(const std::string& path) {
  if (descriptor_ < 0) descriptor_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor_ < 0) return false;
  // A step replaced between the look-up and its watch would be watched too late; so look again until nothing moved.
  constexpr int tries = 16;
  std::vector<path_step> chain = follow_path(path);
  for (int attempt = 0; attempt != tries; ++attempt) {
    const bool complete = watch_chain(chain);
    std::vector<path_step> again = follow_path(path);
    if (again == chain) {
      // Without all watches the rest would only suggest a safety that is not there, and hold scarce watches.
      if (!complete) close_all();
      return complete;
    }
    chain = std::move(again);
  }
  return false;  // something replaces the path without pause: poll until it stops
}

bool inotify_set::watch_chain(const std::vector<path_step>& chain) {
  const std::map<int, watched> before = std::exchange(watches_, {});
  bool complete = true;
  for (const path_step& step : chain) {
    const bool last = &step == &chain.back();
    const bool passed = step.what == path_step::kind::directory && !last;
    if (passed)
      complete &= add(step.path(), itself);
    else
      complete &= add(step.in, itself | entries, step.name);
    if (last && step.what == path_step::kind::other) complete &= add(step.path(), itself | writes);
  }
  for (const auto& [id, what] : before) {
    if (!watches_.contains(id)) inotify_rm_watch(descriptor_, id);
  }
  return complete;
}

bool inotify_set::add(const std::string& path, std::uint32_t events, const std::string& name) {
  // MASK_ADD, because one directory may be passed and hold a link as well.
  const int id = inotify_add_watch(descriptor_, path.c_str(), events | IN_MASK_ADD | IN_DONT_FOLLOW);
  if (id < 0) {
    // Gone again already: the second look will see that. No permission to list a directory that only leads on: the
    // sweep sees it move. None to read the file: its directory announces when that changes.
    return errno == ENOENT || errno == ENOTDIR || (errno == EACCES && name.empty());
  }
  watched& what = watches_[id];
  if ((events & writes) != 0) what.file = true;
  if (!name.empty()) what.names.insert(name);
  return true;
}

inotify_set::news inotify_set::take() {
  news found;
  alignas(inotify_event) char buffer[4096];
  // Bounded, so that a storm of events does not keep the watcher from looking.
  for (int reads = 0; reads != 64; ++reads) {
    const ssize_t got = read(descriptor_, buffer, sizeof buffer);
    if (got <= 0) break;
    for (const char* at = buffer; at < buffer + got;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      const char* const name = at + sizeof event;
      at = name + event.len;
      if ((event.mask & (IN_Q_OVERFLOW | IN_UNMOUNT)) != 0) found.relevant = true;
      const auto watch = watches_.find(event.wd);
      if (watch == watches_.end()) continue;
      if (event.len != 0) {  // about an entry, not about the directory or file itself
        if (!watch->second.names.contains(std::string_view(name))) continue;
        if ((event.mask & IN_MOVED_TO) != 0) found.whole = true;
      }
      if (watch->second.file && (event.mask & IN_CLOSE_WRITE) != 0) found.whole = true;
      if ((event.mask & IN_IGNORED) == 0) found.relevant = true;
    }
  }
  return found;
}

}  // namespace acqrel

#else

namespace acqrel {

inotify_set::~inotify_set() = default;
bool inotify_set::follow(const std::string&) { return false; }
inotify_set::news inotify_set::take() { return {}; }

}  // namespace acqrel

#endif
