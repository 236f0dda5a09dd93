// Objects that go from thread to thread, and threads that end beside the end of their pool. The pool has no edge of its own:
// what it stands on is shown here with it. Below, what goes wrong without each of the steps of a thread's end.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/object_pool.hpp>
#include <acqrel/signal/event.hpp>
#include <acqrel/testing/fake_clock.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

namespace {

using acqrel::object_pool;
using acqrel::pooled;
using acqrel::model::expect;
using namespace std::chrono_literals;

void begin() { setenv("ACQREL_PARK", "futex", 1); }

// A plain field: two owners are a race. The memory behind it is freed once.
struct item {
  item() : number(new int(0)) {}
  item(const item&) = delete;
  item& operator=(const item&) = delete;
  ~item() { delete number; }
  int* number;
};

void use(object_pool<item>& items) {
  const auto one = items.get();
  ++*one->number;
}

// All that was made is idle, and has been used that often.
void all_were_used(object_pool<item>& items, int uses) {
  const auto counts = items.counts();
  expect(counts.made == counts.destroyed + counts.cached, "all are returned");
  int sum = 0;
  std::vector<pooled<item>> all;
  for (std::uint64_t i = 0; i != counts.cached; ++i) sum += *all.emplace_back(items.get())->number;
  expect(sum == uses, "what was written is there");
}

// ---- from thread to thread

MODEL(object_pool, gives_an_object_to_one_at_a_time) {
  begin();
  object_pool<item> items({.per_thread = 0, .shared = 2});
  use(items);
  std::thread other([&] { use(items); });
  use(items);
  other.join();
  all_were_used(items, 3);
}

// Who takes it back keeps it, and gives it to all as it ends.
MODEL(object_pool, takes_back_on_another_thread) {
  begin();
  object_pool<item> items({.per_thread = 1, .shared = 2});
  auto one = items.get();
  *one->number = 1;
  std::thread other([passed = std::move(one)]() mutable {
    ++*passed->number;
    passed.reset();
  });
  {
    const auto two = items.get();
    ++*two->number;
    other.join();
  }
  all_were_used(items, 3);
}

// trim() asks the other to look, who may be about to return, or to end.
MODEL(object_pool, is_trimmed_beside_its_users) {
  begin();
  acqrel::testing::fake_clock clock;
  object_pool<item> items({.per_thread = 1, .shared = 1, .idle = 10s, .time = &clock});
  use(items);
  std::thread other([&] {
    use(items);
    use(items);
  });
  (void)items.trim();
  clock.advance(10s);
  (void)items.trim();
  other.join();
  const auto counts = items.counts();
  expect(counts.made == counts.destroyed + counts.cached, "all are returned");
}

// ---- ends beside ends

int alive;  // plain, and put back before every run
struct counted {
  counted() { ++alive; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() {
    --alive;
    delete memory;
  }
  int* memory = new int(0);
};

template <class Pool>
void ends_beside_its_thread(std::size_t shared) {
  begin();
  auto items = std::make_unique<Pool>(acqrel::object_pool_options{.per_thread = 1, .shared = shared});
  acqrel::event used;
  std::thread user([&] {
    { [[maybe_unused]] const auto one = items->get(); }
    used.notify();
  });
  used.wait();
  items.reset();
  expect(alive == 0, "what the pool made is destroyed when it has ended");
  user.join();
}

MODEL(object_pool, ends_beside_a_thread_that_gives_back) { ends_beside_its_thread<object_pool<counted>>(1); }
MODEL(object_pool, ends_beside_a_thread_that_destroys, .shows = {"waitable_word.value"}) {
  ends_beside_its_thread<object_pool<counted>>(0);
}

// The one in the place of the other, while the thread that used the other is there or ends.
MODEL(object_pool, takes_the_place_of_one_that_ended) {
  begin();
  auto first = std::make_unique<object_pool<item>>();
  acqrel::event used;
  std::thread user([&] {
    use(*first);
    used.notify();
  });
  used.wait();
  first.reset();
  object_pool<item> second;
  use(second);
  user.join();
  all_were_used(second, 1);
}

// A pool of which a thread keeps one object, that it destroys as it ends. With a step missing.
enum class lacks { nothing, lock, wait };
template <lacks Missing>
class twin_pool {
 public:
  explicit twin_pool(acqrel::object_pool_options) {}
  ~twin_pool() {
    for (;;) {
      const std::lock_guard lock(all());
      if (user_ != nullptr) delete std::exchange(user_->object, nullptr);
      if (Missing != lacks::wait && leaving_.value() != 0) {
        all().unlock();
        (void)leaving_.await(acqrel::patience(), [](std::uint64_t threads) { return threads == 0; });
        all().lock();
        continue;
      }
      if (user_ != nullptr) user_->pool = nullptr;
      return;
    }
  }
  // The end of the thread: at the end of the scope, or a little later.
  struct cache {
    ~cache() {
      twin_pool* from;
      {
        std::unique_lock lock(all(), std::defer_lock);
        if (Missing != lacks::lock) lock.lock();
        from = pool;
        if (from == nullptr) return;
        from->user_ = nullptr;
        from->leaving_.change([](std::uint64_t threads) { return threads + 1; });
      }
      delete object;
      from->leaving_.change([](std::uint64_t threads) { return threads - 1; });
    }
    twin_pool* pool = nullptr;
    counted* object = nullptr;
  };
  int get() {
    thread_local cache mine;
    const std::lock_guard lock(all());
    mine.pool = this;
    mine.object = new counted;
    user_ = &mine;
    return 0;
  }

 private:
  static std::mutex& all() {
    static std::mutex one;
    return one;
  }
  cache* user_ = nullptr;
  acqrel::waitable_word leaving_;
};

MODEL(twin_pool, with_all_steps) { ends_beside_its_thread<twin_pool<lacks::nothing>>(0); }
MODEL_FAILS(twin_pool, without_a_lock_for_who_leaves, "data race") {
  ends_beside_its_thread<twin_pool<lacks::lock>>(0);
}
MODEL_FAILS(twin_pool, without_waiting_for_who_leaves, "data race") {
  ends_beside_its_thread<twin_pool<lacks::wait>>(0);
}

}  // namespace
