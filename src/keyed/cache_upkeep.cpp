// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/cache_upkeep.hpp>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace acqrel {
namespace {

steady_deadline later(steady_deadline now, cache_upkeep::duration by) noexcept {
  return by >= steady_deadline::max() - now ? steady_deadline::max() : now + by;
}

}  // namespace

// A load under way. What it stands for is pinned, and so not evicted meanwhile.
struct cache_upkeep::going {
  explicit going(entry_ptr before) : old(std::move(before)) {
    if (old != nullptr) old->pin();
  }
  ~going() { unpin(); }
  void unpin() noexcept {
    if (std::exchange(pins, false)) old->unpin();
  }
  bool has_fresh(steady_deadline now) const noexcept {
    return old != nullptr && old->has_value && now < old->fresh_until_;
  }

  const entry_ptr old;
  bool pins = old != nullptr;
  std::atomic<std::thread::id> by{};
  entry_ptr got{};  // null: the load's own entry says what was thrown. Written before `done`
  event done{};
};

cache_upkeep::entry::entry(bool value, std::exception_ptr t, std::size_t hash, std::uint64_t weight,
                           const dates& dates) noexcept
    : node(hash, weight, dates.useless),
      has_value(value),
      thrown(std::move(t)),
      fresh_until_(dates.fresh_until),
      look_again_(dates.look_again) {}
cache_upkeep::entry::entry(const entry_ptr& there)
    : node(0, 1), has_value(false), load_(std::make_unique<going>(value_of(there))) {}
cache_upkeep::entry::~entry() = default;

// A load that the executor has; destroyed without having run, it has failed.
struct cache_upkeep::ticket {
  ticket(cache_upkeep& of, const entry_ptr& what) noexcept : cache(of), mine(what) {
    cache.handed_out_.change([](std::uint64_t loads) { return loads + 1; });
  }
  ~ticket() {
    if (mine != nullptr) {
      cache.fail(
          mine,
          std::make_exception_ptr(std::runtime_error(
              "acqrel: loading_cache: the executor dropped the load; give the cache an executor that runs what it "
              "takes for as long as the cache lives")));
      mine = nullptr;
    }
    cache.handed_out_.change([](std::uint64_t loads) { return loads - 1; });
  }
  ticket(const ticket&) = delete;
  ticket& operator=(const ticket&) = delete;

  cache_upkeep& cache;
  entry_ptr mine;
};

// What left; told of when all else is done.
class cache_upkeep::farewells {
 public:
  explicit farewells(cache_upkeep& cache) noexcept : cache_(cache) {}
  ~farewells() {
    while (const entry_ptr one = std::move(first_)) {
      first_ = std::move(one->next_);
      cache_.tell(one, one->why_);
    }
  }
  farewells(const farewells&) = delete;
  farewells& operator=(const farewells&) = delete;
  void add(const entry_ptr& one, removal why) noexcept {
    // plain: who is first goes on, with what is its own from then on
    if (!one->has_value || one->told_.exchange(true, std::memory_order_relaxed)) return;
    one->why_ = why;
    one->next_ = std::exchange(first_, one);
  }

 private:
  cache_upkeep& cache_;
  entry_ptr first_{};
};

cache_upkeep::cache_upkeep(settings how)
    : how_(std::move(how)),
      time_(how_.time != nullptr ? *how_.time : time_source::coarse()),
      has_ages_(how_.time_to_live != for_ever || how_.refresh_after != for_ever ||
                how_.remember_failures != duration()),
      queue_(how_.most) {
  if (std::min({how_.time_to_live, how_.refresh_after, how_.stale_on_error, how_.remember_failures}) < duration())
    throw std::invalid_argument("acqrel: loading_cache: a time among its options is negative; the least is 0");
}

void cache_upkeep::wait_for_loads() noexcept {
  (void)handed_out_.await(patience(), [](std::uint64_t loads) { return loads == 0; });
}

cache_statistics cache_upkeep::statistics() const noexcept {
  const auto sum = [this](counted what) { return counts_.sum(static_cast<std::size_t>(what)); };
  return {sum(counted::hits), sum(counted::misses), sum(counted::loads), sum(counted::failures),
          sum(counted::evictions)};
}

cache_upkeep::dates cache_upkeep::dates_of_value() const noexcept {
  const steady_deadline now = this->now(), fresh = later(now, how_.time_to_live);
  return {std::min(fresh, later(now, how_.refresh_after)), fresh, later(fresh, how_.stale_on_error)};
}

cache_upkeep::dates cache_upkeep::dates_of_failure() const noexcept {
  const steady_deadline over = later(now(), how_.remember_failures);
  return {over, over, over};
}

// What is there, or what a load there stands for.
cache_upkeep::entry_ptr cache_upkeep::value_of(const entry_ptr& there) noexcept {
  return there != nullptr && there->load_ != nullptr ? there->load_->old : there;
}

bool cache_upkeep::answers(const entry_ptr& there, const patience* how_long, entry_ptr& answer) {
  answer = nullptr;
  if (there == nullptr) return how_long == nullptr;
  if (there->load_ == nullptr) {
    if (serves(*there))
      answer = there;
    else if (how_long != nullptr)
      return false;
    else if (there->has_value && now() < there->fresh_until_)  // to be refreshed
      answer = there;
  } else if (there->load_->has_fresh(now())) {
    answer = there->load_->old;
  } else if (how_long != nullptr) {
    if (there->load_->done.is_set()) return false;  // there was no memory to take it away
    count(counted::misses);
    answer = await(there, *how_long);
    return true;
  }
  if (answer != nullptr) count_hit();
  return true;
}

cache_upkeep::entry_ptr cache_upkeep::await(const entry_ptr& mine, const patience& how_long) {
  going& load = *mine->load_;
  // plain: only what this thread stored itself can be equal
  if (load.by.load(std::memory_order_relaxed) == std::this_thread::get_id() && !load.done.is_set())
    throw std::logic_error("acqrel: loading_cache: the loader of a key asks for that key, which waits for the loader");
  if (!load.done.await(how_long)) return nullptr;
  return load.got != nullptr ? load.got : mine;
}

cache_upkeep::entry_ptr cache_upkeep::take_on(const entry_ptr& mine, const patience& how_long) {
  const bool fresh = mine->load_->has_fresh(now());
  count(fresh && how_.executor ? counted::hits : counted::misses);
  bool handed_out = false;
  if (how_.executor) {
    try {
      how_.executor([job = std::make_shared<ticket>(*this, mine)] {
        if (const entry_ptr its = std::exchange(job->mine, nullptr)) job->cache.run(its);
      });
      handed_out = true;
    } catch (...) {  // then the ticket has failed, or there was no memory for it
      handed_out = mine->load_->done.is_set();
    }
  }
  if (!handed_out) run(mine);
  return fresh && !mine->load_->done.is_set() ? mine->load_->old : await(mine, how_long);
}

void cache_upkeep::run(const entry_ptr& mine) noexcept {
  // plain: for await(), on this thread
  mine->load_->by.store(std::this_thread::get_id(), std::memory_order_relaxed);
  count(counted::loads);
  take_turn();
  try {
    const entry_ptr made = load(mine);
    settle(mine, made, made->has_value ? removal::replaced : removal::invalidated);
  } catch (...) {
    fail(mine, std::current_exception());
  }
}

// What there was serves on, if it may. Otherwise who waits gets what was thrown.
void cache_upkeep::fail(const entry_ptr& mine, std::exception_ptr thrown) noexcept {
  count(counted::failures);
  const entry_ptr& old = mine->load_->old;
  if (old != nullptr && old->has_value && !old->is_useless(now())) {
    // plain: a time
    old->look_again_.store(dates_of_failure().look_again, std::memory_order_relaxed);
    return settle(mine, old, removal::size);
  }
  mine->thrown = thrown;
  entry_ptr made;
  try {
    made = make_failed(mine, std::move(thrown));
  } catch (const std::bad_alloc&) {
  }
  settle(mine, made, removal::expired);
}

// Ends a load: `made` takes its place, if nobody took that. What leaves for it leaves before, and is told of after.
void cache_upkeep::settle(const entry_ptr& mine, const entry_ptr& made, removal why) noexcept {
  farewells all(*this);
  eviction_queue::left out;
  going& load = *mine->load_;
  const entry_ptr& old = load.old;
  const bool stays = made != nullptr && made == old;
  const bool is_new = !stays && made != nullptr && is_before(made->fresh_until_) && is_there(mine);
  bool keeps = stays && !old->was_evicted();  // which, pinned, it will not be any more
  if (is_new) {
    made->pin();  // until it can be found
    keeps = queue_.enter(made, old.get(), out, now());
    forget(out, old.get(), all);
  } else if (!stays && old != nullptr) {
    queue_.remove(*old, out);
  }
  bool placed = false;
  try {
    placed = keeps && replace(mine, made);
  } catch (const std::bad_alloc&) {
  }
  if (is_new && !placed) queue_.remove(*made, out);
  const bool ended = placed || take_out(mine);
  if (ended && old != nullptr && !(stays && placed)) all.add(old, now() < old->fresh_until_ ? why : removal::expired);
  if (is_new) made->unpin();
  load.unpin();
  load.got = made;
  load.done.notify();
}

void cache_upkeep::forget(eviction_queue::left& out, const entry* but, farewells& all) noexcept {
  while (const auto node = out.take()) {
    const entry_ptr one = std::static_pointer_cast<entry>(node);
    if (one.get() == but || !take_out(one)) continue;
    const bool useless = one->is_useless(now());
    if (!useless) count(counted::evictions);
    all.add(one, useless ? removal::expired : removal::size);
  }
}

void cache_upkeep::take_turn() noexcept {
  // edge cache_upkeep.turn: acq_rel  who comes second sees what the first did before
  turn_.fetch_add(1, std::memory_order_acq_rel);
}

void cache_upkeep::dismiss(const entry_ptr& taken) noexcept {
  const entry_ptr old = value_of(taken);
  if (old == nullptr) return;
  farewells all(*this);
  eviction_queue::left out;
  queue_.remove(*old, out);
  all.add(old, removal::invalidated);
}

void cache_upkeep::expire() noexcept {
  farewells all(*this);
  eviction_queue::left out;
  queue_.remove_useless(now(), out);
  forget(out, nullptr, all);
}

}  // namespace acqrel
