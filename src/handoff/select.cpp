// One choice at many places.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/select.hpp>

#include <algorithm>
#include <functional>

namespace acqrel {
namespace {

// A xorshift generator for each thread; all begin alike, since it is within one thread that a choice is to be fair.
std::size_t below(std::size_t bound) noexcept {
  static constinit thread_local std::uint32_t state = 0x9E3779B9;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return static_cast<std::size_t>(std::uint64_t{state} * bound >> 32);
}

void shuffle(select_case** cases, std::size_t count) noexcept {
  for (; count > 1; --count) std::swap(cases[below(count)], cases[count - 1]);
}

}  // namespace

// Of all channels, each once, always in the same order: so two that select wait for each other in a row, never in a ring.
class select_case::locks {
 public:
  explicit locks(const table& cases) noexcept : first_(cases.by_address), last_(first_) {
    for (std::size_t i = 0; i != cases.count; ++i) {
      if (cases.order[i]->channel_ != nullptr) *last_++ = cases.order[i];
    }
    const auto address = [](const select_case* one) { return one->channel_; };
    std::sort(first_, last_, [&](auto* a, auto* b) { return std::less<>()(address(a), address(b)); });
    last_ = std::unique(first_, last_, [&](auto* a, auto* b) { return address(a) == address(b); });
    for (select_case** one = first_; one != last_; ++one) (*one)->channel_->acquire();
  }
  ~locks() {
    for (select_case** one = first_; one != last_; ++one) (*one)->channel_->release();
  }
  locks(const locks&) = delete;
  locks& operator=(const locks&) = delete;

 private:
  select_case** first_;
  select_case** last_;
};

select_case* select_case::choose(const table& cases, bool waits) noexcept {
  for (;;) {
    channel_core::choice mine;
    shuffle(cases.order, cases.count);
    for (std::size_t i = 0; i != cases.count; ++i) cases.order[i]->prepare(mine);
    {
      const locks held(cases);
      for (std::size_t i = 0; i != cases.count; ++i) {
        if (cases.order[i]->take()) return cases.order[i];
      }
      if (!waits) return nullptr;
      for (std::size_t i = 0; i != cases.count; ++i) cases.order[i]->join();
    }
    for (std::size_t i = 0; i != cases.count; ++i) cases.order[i]->listen(mine);
    select_case* chosen = wait(cases, mine);
    for (std::size_t i = 0; i != cases.count; ++i) {
      if (cases.order[i]->leave()) chosen = cases.order[i];
    }
    if (chosen != nullptr) return chosen;  // null: who chose one of ours could not move the item
  }
}

void select_case::prepare(channel_core::choice& mine) noexcept {
  stopped_ = false;
  if (channel_ != nullptr) place_.emplace(mine, item_);
}

// Done at once, if it can be.
bool select_case::take() noexcept {
  switch (kind_) {
    case kind::send: found_ = channel_->try_send(*place_, false); return found_.is != channel_core::what::nothing;
    case kind::receive: found_ = channel_->try_receive(*place_, false); return found_.is != channel_core::what::nothing;
    case kind::word: return what_.ready(what_.whom);
    case kind::deadline: return std::chrono::steady_clock::now() >= deadline_;
    case kind::stop: return stop_->stop_requested();
  }
  return false;
}

void select_case::join() noexcept {
  if (channel_ != nullptr) (kind_ == kind::send ? channel_->senders_ : channel_->receivers_).push(*place_);
}

// Without the locks: a stop that was requested calls back at once.
void select_case::listen(channel_core::choice& mine) noexcept {
  if (kind_ == kind::stop) callback_.emplace(*stop_, stopper{&mine, &stopped_});
}

void select_case::stopper::operator()() const noexcept {
  if (!choice->claim()) return;
  *stopped = true;
  choice->settle();
}

// Returns the case that this thread chose itself; null: another did.
select_case* select_case::wait(const table& cases, channel_core::choice& mine) noexcept {
  select_case* first = nullptr;  // that which comes to its deadline
  std::size_t words = 0;
  for (std::size_t i = 0; i != cases.count; ++i) {
    select_case* const one = cases.order[i];
    if (one->kind_ == kind::deadline && (first == nullptr || one->deadline_ < first->deadline_)) first = one;
    words += one->kind_ == kind::word ? 1 : 0;
  }
  const steady_deadline deadline = first != nullptr ? first->deadline_ : steady_deadline::max();
  if (words == 0) return mine.await(first != nullptr ? patience(deadline) : patience()) ? nullptr : first;
  for (spinner spin;;) {
    const bool sleeps = !spin.spin();
    std::size_t listed = 0;
    if (sleeps) {
      cases.words[listed++] = mine.announce();
      for (std::size_t i = 0; i != cases.count; ++i) {
        const select_case& one = *cases.order[i];
        if (one.kind_ == kind::word) cases.words[listed++] = one.what_.announce(one.what_.whom);
      }
    }
    if (mine.is_settled()) return nullptr;
    for (std::size_t i = 0; i != cases.count; ++i) {
      select_case* const one = cases.order[i];
      if (one->kind_ == kind::word && one->what_.ready(one->what_.whom)) return mine.give_up() ? one : nullptr;
    }
    if (sleeps && !park_any(cases.words, listed, deadline)) return mine.give_up() ? first : nullptr;
  }
}

// Waits nowhere any more. Returns whether it was chosen by another.
bool select_case::leave() noexcept {
  if (kind_ == kind::stop) {
    callback_.reset();  // waits for it if it is running
    return stopped_;
  }
  if (channel_ == nullptr) return false;
  found_ = place_->result();
  if (found_.is != channel_core::what::nothing)
    return found_.is != channel_core::what::again;  // taken out by who chose it
  channel_->acquire();
  (kind_ == kind::send ? channel_->senders_ : channel_->receivers_).unlink(*place_);
  channel_->release();
  return false;
}

}  // namespace acqrel
