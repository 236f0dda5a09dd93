// SPDX-License-Identifier: Apache-2.0
#include <acqrel/task/worker_pool.hpp>

namespace acqrel {

worker_pool::worker_pool(std::size_t workers, options how)
    : crew_(workers, how.queue, [this, handler = std::move(how.on_exception)](std::exception_ptr thrown) {
        // plain: a number, without anything behind it
        failures_.fetch_add(1, std::memory_order_relaxed);
        if (handler) handler(std::move(thrown));
      }) {
  crew_.start_all();
  if (how.stop.stop_possible()) on_stop_.emplace(std::move(how.stop), discard{this});
}

worker_pool::~worker_pool() = default;

worker_pool::stopped worker_pool::stop(stop_mode how, steady_deadline deadline) {
  crew_.close(how == stop_mode::drain ? crew::ending::drain : crew::ending::discard);
  if (how == stop_mode::discard) crew_.request_stop();
  const bool ended = crew_.join(patience(deadline));
  if (!ended && !crew_.is_within()) {
    crew_.close(crew::ending::discard);
    crew_.request_stop();
  }
  stopped result{ended, ended ? 0 : crew_.running(), {}};
  crew::jobs left = crew_.take_left();
  result.undone.reserve(left.size());
  for (auto& job : left) result.undone.push_back(undone_job(std::move(job)));
  return result;
}

void worker_pool::discard_by_token() noexcept {
  crew_.close(crew::ending::discard);
  crew_.request_stop();
  const crew::jobs left = crew_.take_left();
  // plain: a number, without anything behind it
  dropped_.fetch_add(left.size(), std::memory_order_relaxed);
}

std::uint64_t worker_pool::failures() const noexcept {
  // plain: a number, without anything behind it
  return failures_.load(std::memory_order_relaxed);
}

std::uint64_t worker_pool::dropped() const noexcept {
  // plain: a number, without anything behind it
  return dropped_.load(std::memory_order_relaxed);
}

}  // namespace acqrel
