// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/task_group.hpp>

#include <stdexcept>

namespace acqrel {

task_group::task_group(std::size_t limit, const std::stop_token& parent)
    : crew_(limit, 0, [this](std::exception_ptr thrown) { fail(std::move(thrown)); }) {
  if (parent.stop_possible()) on_stop_.emplace(parent, stopper{this});
}

task_group::~task_group() {
  if (crew_.is_within()) return;  // ~crew ends the program, with a message
  request_stop();
  (void)crew_.join(patience());  // every task that was taken runs
}

void task_group::request_stop() noexcept {
  crew_.close(crew::ending::drain);
  crew_.request_stop();
}

void task_group::fail(std::exception_ptr thrown) noexcept {
  {
    const std::lock_guard lock(mutex_);
    failures_.push_back(std::move(thrown));
  }
  request_stop();
}

std::vector<std::exception_ptr> task_group::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

bool task_group::await(const patience& how_long) const {
  if (crew_.is_within()) {
    throw std::logic_error(
        "acqrel::task_group: a task waits for its own group, and so for itself; let the group's owner wait");
  }
  crew_.close(crew::ending::finish);
  if (!crew_.join(how_long)) return false;
  crew_.request_stop();
  const std::lock_guard lock(mutex_);
  if (!failures_.empty()) std::rethrow_exception(failures_.front());
  return true;
}

}  // namespace acqrel
