// The places of a resource_pool, and who gets them.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/resource_pool.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace acqrel {

// On the stack of who waits. Whoever claims it writes what it gets, and settles it: then it may be gone.
struct resource_pool_core::waiter {
  channel_core::choice choice;
  slot* given = nullptr;  // null: a place
  bool refused = false;   // neither; the pool may be gone
  bool queued = true;
  waiter *next = nullptr, *previous = nullptr;
};

namespace {

using core = resource_pool_core;

core::slot* pop(core::home& key) noexcept {
  core::slot* const one = key.top;
  if (one == nullptr) return nullptr;
  key.top = one->below;
  --key.idle;
  return one;
}

void push(core::home& key, core::waiter& one) noexcept {
  one.previous = key.last;
  (key.last == nullptr ? key.first : key.last->next) = &one;
  key.last = &one;
  ++key.waiting;
}

void unlink(core::home& key, core::waiter& one) noexcept {
  if (!std::exchange(one.queued, false)) return;
  (one.previous == nullptr ? key.first : one.previous->next) = one.next;
  (one.next == nullptr ? key.last : one.next->previous) = one.previous;
}

// The first that has not given up. Who has leaves by itself, and is counted until then.
core::waiter* claim(core::home& key) noexcept {
  while (core::waiter* const one = key.first) {
    unlink(key, *one);
    if (!one->choice.claim()) continue;
    --key.waiting;
    return one;
  }
  return nullptr;
}

void count_in(core::counts& all, const core::home& key) noexcept {
  all.open += key.open;
  all.idle += key.idle;
  all.waiting += key.waiting;
}

// Requested when the pool is closed or the caller's patience runs out.
class dial_stop {
 public:
  dial_stop(const cancel_token& closing, const patience& how_long)
      : source_(closing, how_long.deadline()), token_(source_.token()), stop_(token_.stop_token()) {
    if (how_long.stop() != nullptr) by_caller_.emplace(*how_long.stop(), passes{source_});
  }
  [[nodiscard]] bool requested() const noexcept { return token_.cancelled(); }
  [[nodiscard]] const std::stop_token& token() const noexcept { return stop_; }

 private:
  struct passes {
    void operator()() const noexcept { to.cancel(); }
    cancel_source to;
  };
  const cancel_source source_;
  const cancel_token token_;
  const std::stop_token stop_;
  std::optional<std::stop_callback<passes>> by_caller_;
};

}  // namespace

// A place that the next one gets, unless it is kept.
class resource_pool_core::place {
 public:
  explicit place(home& key) noexcept : key_(&key) {}
  ~place() {
    if (key_ != nullptr) key_->pool.free_place(*key_);
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  void keep() noexcept { key_ = nullptr; }

 private:
  home* key_;
};

resource_pool_core::resource_pool_core(std::size_t most, std::chrono::nanoseconds idle_for, backoff wait,
                                       time_source& time)
    : most_(most), idle_for_(idle_for), backoff_(wait), time_(time) {
  if (most == 0)
    throw std::invalid_argument("acqrel: resource_pool: most_per_key is 0, so nobody would get any; give 1");
  if (idle_for < idle_for.zero())
    throw std::invalid_argument("acqrel: resource_pool: idle_for is negative; give 0 to keep nothing");
}

void resource_pool_core::adopt(home& added) noexcept {
  added.next = homes_;
  if (homes_ != nullptr) homes_->previous = &added;
  homes_ = &added;
}

// Null: gave up, or closed. Whatever throws has freed the place.
resource_pool_core::slot* resource_pool_core::take(held lock, home& key, const patience& how_long, bool dials) {
  slot* got = nullptr;
  if (closed_) {
    leave(std::move(lock), key);
    return nullptr;
  }
  if ((got = pop(key)) == nullptr) {
    if (!dials) return nullptr;  // somebody else has what is open
    if (key.open != most_) {
      ++key.open;
      lock.unlock();
    } else {
      waiter mine;
      push(key, mine);
      lock.unlock();
      if (!mine.choice.await(how_long)) {
        lock.lock();
        unlink(key, mine);
        --key.waiting;
        leave(std::move(lock), key);
        return nullptr;
      }
      if (mine.refused) return nullptr;
      got = mine.given;
    }
  } else {
    lock.unlock();
  }
  for (;;) {
    if (got != nullptr) {
      if (is_fit(*got)) return got;
      destroy(*got);
    }
    // A place of this key, to be filled by what has come meanwhile, or else by a dial.
    place mine(key);
    lock.lock();
    if (closed_) return lock.unlock(), nullptr;
    if ((got = pop(key)) != nullptr) {
      --key.open;  // nobody waits while one is idle
      mine.keep();
      lock.unlock();
      continue;
    }
    lock.unlock();
    if (!dials) return nullptr;
    got = fill(key, how_long);
    if (got != nullptr) mine.keep();
    return got;
  }
}

// Whoever throws in there is told of it, and the resource gone.
bool resource_pool_core::is_fit(slot& one) {
  if (idle_for_ != idle_for_.max() && expired(one, time_.now())) return false;
  try {
    return is_healthy(one);
  } catch (...) {
    one.broken = true;
    give_back(one);
    throw;
  }
}

resource_pool_core::slot* resource_pool_core::fill(home& key, const patience& how_long) {
  if (backoff_ != nullptr) {
    const steady_deadline now = time_.now();
    held lock(mutex_);
    if (key.failures != 0 && now < key.dials_from) {
      const std::exception_ptr error = key.error;
      lock.unlock();
      std::rethrow_exception(error);
    }
  }
  const dial_stop stop(closing_.token(), how_long);
  slot* made = nullptr;
  try {
    made = dial(key, stop.token());
  } catch (...) {
    if (std::current_exception() == nullptr) throw;  // the thread is being ended
    if (stop.requested()) return nullptr;
    note_failure(key);
    throw;
  }
  std::exception_ptr forgiven;  // dies without the mutex
  held lock(mutex_);
  if (!closed_) {
    key.failures = 0;
    key.error.swap(forgiven);
    return made;
  }
  lock.unlock();
  destroy(*made);
  return nullptr;
}

void resource_pool_core::note_failure(home& key) noexcept {
  if (backoff_ == nullptr) return;
  std::exception_ptr error = std::current_exception();
  held lock(mutex_);
  const std::uint32_t failures = key.failures + 1;
  lock.unlock();
  const auto wait = std::max(steady_duration(backoff_(failures)), steady_deadline::duration::zero());
  const steady_deadline now = time_.now();
  lock.lock();
  key.failures = failures;
  key.dials_from = steady_deadline::max() - now < wait ? steady_deadline::max() : now + wait;
  key.error.swap(error);
}

void resource_pool_core::give_back(slot& one) noexcept {
  home& key = one.key;
  resource_pool_core& pool = key.pool;
  if (pool.idle_for_ != pool.idle_for_.max()) one.idle_since = pool.time_.now();
  held lock(pool.mutex_);
  if (one.broken || pool.closed_) {
    lock.unlock();
    pool.destroy(one);
    return pool.free_place(key);
  }
  if (waiter* const next = claim(key)) {
    next->given = &one;
    lock.unlock();
    return next->choice.settle();
  }
  one.below = key.top;
  key.top = &one;
  ++key.idle;
}

void resource_pool_core::free_place(home& key) noexcept {
  held lock(mutex_);
  if (waiter* const next = claim(key)) {
    lock.unlock();
    return next->choice.settle();
  }
  --key.open;
  leave(std::move(lock), key);
}

// The last one forgets the key.
void resource_pool_core::leave(held lock, home& key) noexcept {
  if (key.open != 0 || key.waiting != 0 || (key.failures != 0 && !closed_)) return;
  (key.previous == nullptr ? homes_ : key.previous->next) = key.next;
  if (key.next != nullptr) key.next->previous = key.previous;
  const bool last = abandoned_ && homes_ == nullptr;
  forget(std::move(lock), key);
  if (last) delete this;
}

bool resource_pool_core::expired(const slot& one, steady_deadline now) const noexcept {
  return now - one.idle_since >= idle_for_;
}

void resource_pool_core::end(slot* dead, home* unused) noexcept {
  while (dead != nullptr) {
    slot* const next = dead->below;
    home& key = dead->key;
    destroy(*dead);
    free_place(key);
    dead = next;
  }
  while (unused != nullptr) free_place(*std::exchange(unused, unused->next_unused));
}

void resource_pool_core::close() noexcept {
  slot* dead = nullptr;
  home* unused = nullptr;
  waiter* refused = nullptr;
  {
    const held lock(mutex_);
    closed_ = true;
    for (home* key = homes_; key != nullptr; key = key->next) {
      while (waiter* const one = claim(*key)) {
        one->refused = true;
        one->next = std::exchange(refused, one);
      }
      if (key->open == 0 && key->waiting == 0) {
        ++key->open;
        key->next_unused = std::exchange(unused, key);
      }
      while (slot* const one = pop(*key)) one->below = std::exchange(dead, one);
    }
  }
  while (refused != nullptr) std::exchange(refused, refused->next)->choice.settle();
  closing_.cancel();
  end(dead, unused);
}

void resource_pool_core::drop_expired() noexcept {
  const steady_deadline now = time_.now();
  slot* dead = nullptr;
  home* unused = nullptr;
  {
    const held lock(mutex_);
    for (home* key = homes_; key != nullptr; key = key->next) {
      if (idle_for_ != idle_for_.max()) {
        for (slot** at = &key->top; *at != nullptr;) {
          slot* const one = *at;
          if (!expired(*one, now)) {
            at = &one->below;
            continue;
          }
          *at = one->below;
          one->below = std::exchange(dead, one);
          --key->idle;
        }
      }
      if (key->open == 0 && key->waiting == 0 && now >= key->dials_from) {
        key->failures = 0;
        ++key->open;
        key->next_unused = std::exchange(unused, key);
      }
    }
  }
  end(dead, unused);
}

bool resource_pool_core::closed() const noexcept {
  const held lock(mutex_);
  return closed_;
}

resource_pool_core::counts resource_pool_core::count() const noexcept {
  counts all;
  const held lock(mutex_);
  for (const home* key = homes_; key != nullptr; key = key->next) count_in(all, *key);
  return all;
}

void resource_pool_core::abandon() noexcept {
  close();
  held lock(mutex_);
  abandoned_ = true;
  if (homes_ != nullptr) return;
  lock.unlock();
  delete this;
}

}  // namespace acqrel
