// SPDX-License-Identifier: Apache-2.0
#include <acqrel/reload/content_follower.hpp>

#include "file_state.hpp"

#include <algorithm>
#include <exception>

namespace acqrel {

content_follower::content_follower(std::string path, hooks use, options settings)
    : path_(std::move(path)),
      use_(std::move(use)),
      settings_(std::move(settings)),
      watcher_(
          load_first(), [this] { return load(); }, settings_.watch) {
  // plain: a hook of the first load, on this thread, may have asked for the end.
  if (stopped_.load(std::memory_order_relaxed)) watcher_.stop();
}

content_follower::~content_follower() { stop(); }

// The first load is over when the watcher's thread starts, and that thread's first call reads again: what changes in
// between is found.
const std::string& content_follower::load_first() {
  load();
  watching_ = true;
  return path_;
}

// ---- any thread ----

std::optional<std::uint64_t> content_follower::wait_for_change(std::uint64_t seen, steady_deadline deadline,
                                                               const std::stop_token& stop) const noexcept {
  for (;;) {
    // edge content_follower.changed: acquire
    const std::uint32_t turn = changed_.load(std::memory_order_acquire);
    if (const std::uint64_t now = generation(); now != seen) return now;
    // plain: ordered by the load of changed_ above.
    if (stopped_.load(std::memory_order_relaxed)) return std::nullopt;
    if (!park_until(changed_, turn, deadline, stop)) return std::nullopt;
  }
}

void content_follower::change() noexcept {
  // edge content_follower.changed: release
  changed_.fetch_add(1, std::memory_order_release);
  unpark_all(changed_);
}

bool content_follower::reload_now(steady_deadline deadline) noexcept {
  return watching_ && watcher_.check_and_wait(deadline);
}

void content_follower::request_reload() noexcept {
  if (watching_) watcher_.check();
}

bool content_follower::notified_by_system() const noexcept { return watching_ && watcher_.notified_by_system(); }

void content_follower::stop() noexcept {
  // plain: published by the count of changes.
  stopped_.store(true, std::memory_order_relaxed);
  change();
  if (watching_) watcher_.stop();
}

reload_status content_follower::status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

// ---- one thread at a time: the constructor's, then the watcher's ----

bool content_follower::load() {
  file_content file = read_file(path_, settings_.size_limit);
  if (!file.problem.empty()) return fail(reload_failure::cause::unreadable, std::move(file.problem), 0);
  if (in_use_ == file.text) {  // a touch, or a return from a bad content to the good one
    const bool had_failed = !reported_.empty();
    succeed(false);
    // plain: only this thread writes it.
    if (had_failed && use_.recovered) call(use_.recovered, generation_.load(std::memory_order_relaxed));
    return true;
  }
  return accept(std::move(file.text));
}

bool content_follower::accept(std::string content) {
  {
    const std::lock_guard lock(status_mutex_);
    ++status_.loads;
  }
  std::string reason;
  try {
    use_.apply(content);
  } catch (const std::exception& error) {
    reason = error.what();
    if (reason.empty()) reason = "the parser threw an exception without a text";
  } catch (...) {
    reason = "the parser threw something that is no std::exception";
  }
  if (!reason.empty()) return fail(reload_failure::cause::refused, path_ + ": " + reason, hash_bytes(content));
  in_use_ = std::move(content);
  // plain: only this thread writes it.
  const std::uint64_t generation = generation_.load(std::memory_order_relaxed) + 1;
  // edge content_follower.generation: release
  generation_.store(generation, std::memory_order_release);
  succeed(true);
  change();
  if (use_.published) call(use_.published, generation);
  return true;
}

void content_follower::succeed(bool published) {
  reported_.clear();
  const auto now = settings_.wall_clock ? settings_.wall_clock() : std::chrono::system_clock::now();
  const std::lock_guard lock(status_mutex_);
  if (published) ++status_.generation;
  status_.last_success = now;
  status_.error.reset();
}

bool content_follower::fail(reload_failure::cause why, std::string message, std::uint64_t content_hash) {
  constexpr std::size_t most_remembered = 32;  // a file that is bad in ever new ways must not fill the memory
  const auto now = settings_.wall_clock ? settings_.wall_clock() : std::chrono::system_clock::now();
  const reload_failure failure{why, std::move(message), content_hash, now};
  const auto is_this = [&](const auto& known) {
    return known.first == content_hash && known.second == failure.message;
  };
  const bool is_new = std::none_of(reported_.begin(), reported_.end(), is_this);
  if (is_new) {
    if (reported_.size() == most_remembered) reported_.erase(reported_.begin());
    reported_.emplace_back(content_hash, failure.message);
  }
  {
    const std::lock_guard lock(status_mutex_);
    if (is_new) ++status_.failures;
    const auto& shown = status_.error;
    // A failure that lasts keeps the moment it began.
    if (!shown || shown->content_hash != content_hash || shown->message != failure.message) status_.error = failure;
  }
  if (is_new && use_.failed) call(use_.failed, failure);
  return false;
}

template <class Hook, class... Arguments>
void content_follower::call(const Hook& hook, Arguments&&... arguments) noexcept {
  try {
    hook(std::forward<Arguments>(arguments)...);
  } catch (...) {  // H18: what was published stays, and the next change is looked at
    const std::lock_guard lock(status_mutex_);
    ++status_.hook_exceptions;
  }
}

}  // namespace acqrel
