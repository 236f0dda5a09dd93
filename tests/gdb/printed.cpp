// What gdb prints of each type with tools/gdb/acqrel_printers.py: printed_test.py stops in all_is_shown() and compares. A line
// `// gdb EXPRESSION: TEXT` says what it prints of an expression in the frame above.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/fair_mutex.hpp>
#include <acqrel/handoff/channel.hpp>
#include <acqrel/handoff/stack.hpp>
#include <acqrel/keyed/resource_pool.hpp>
#include <acqrel/publish/cow_map.hpp>
#include <acqrel/publish/lazy.hpp>
#include <acqrel/publish/once.hpp>
#include <acqrel/publish/one_shot.hpp>
#include <acqrel/publish/snapshot_source.hpp>
#include <acqrel/publish/versioned.hpp>
#include <acqrel/publish/watch.hpp>
#include <acqrel/signal/countdown.hpp>
#include <acqrel/signal/event.hpp>
#include <acqrel/signal/generation.hpp>
#include <acqrel/signal/pulse.hpp>
#include <acqrel/task/worker_pool.hpp>

#include "../signal/asleep.hpp"

#include <memory>
#include <vector>

namespace {

struct config {
  int port;
  int limit;
};

[[gnu::noinline]] void all_is_shown() { asm volatile(""); }

// Everything in a state that the comments tell.
void show() {
  // gdb current: acqrel::snapshot_source<(anonymous namespace)::config> holding {port = 80, limit = 7}
  acqrel::snapshot_source<config> current{std::make_unique<config>(config{80, 7})};
  // gdb nothing: acqrel::snapshot_source<int> empty
  acqrel::snapshot_source<int> nothing;
  // gdb now: acqrel::snapshot_guard<(anonymous namespace)::config> holding {port = 80, limit = 7}
  const auto now = current.read();
  // gdb kept: acqrel::snapshot_ptr<(anonymous namespace)::config> holding {port = 80, limit = 7}
  const auto kept = current.get_snapshot();
  // gdb none: acqrel::snapshot_ptr<int> empty
  const acqrel::snapshot_ptr<int> none;

  // gdb price: acqrel::versioned<int> holding 5, version 2
  // gdb unset: acqrel::versioned<int> empty, version 0
  // gdb price_now: acqrel::versioned_guard<int> holding 5, version 2
  acqrel::versioned<int> price, unset;
  price.set(4);
  price.set(5);
  const auto price_now = price.read();
  // gdb weather: acqrel::watch<int> holding 21, version 1
  acqrel::watch<int> weather;
  (void)weather.publish(21);

  // gdb answer: acqrel::one_shot<int> holding 42
  // gdb unanswered: acqrel::one_shot<int> empty
  acqrel::one_shot<int> answer, unanswered;
  (void)answer.publish(42);
  // gdb first: acqrel::once: done
  // gdb later: acqrel::once: not done
  acqrel::once first, later;
  first.call([] {});
  // gdb made: acqrel::lazy holding 6
  // gdb unmade: acqrel::lazy: not made
  const acqrel::lazy made([] { return 6; });
  const acqrel::lazy unmade([] { return 7; });
  (void)made.get();

  // gdb ready: acqrel::event: happened
  // gdb never: acqrel::event: not yet, awaited
  acqrel::event ready, never;
  ready.notify();
  sleeper waits([&] { never.wait(); });
  waits.until_asleep();
  // gdb parts: acqrel::countdown: 2 to go
  // gdb done: acqrel::countdown: open
  acqrel::countdown parts(3), done(0);
  parts.down();
  // gdb epoch: acqrel::generation: 8
  acqrel::generation epoch(7);
  epoch.fire();
  // gdb tick: acqrel::pulse: given 1 time
  acqrel::pulse tick;
  tick.notify();

  // gdb free_mutex: acqrel::fair_mutex: free
  // gdb mutex: acqrel::fair_mutex: locked, 2 waiting
  acqrel::fair_mutex free_mutex, mutex;
  mutex.lock();
  const auto lock_and_unlock = [&] { const acqrel::fair_lock lock(mutex); };
  sleeper second(lock_and_unlock), third(lock_and_unlock);
  second.until_asleep();
  third.until_asleep();

  // gdb jobs: acqrel::channel<int>: 2 of 16 items
  acqrel::channel<int> jobs(acqrel::bounded(16));
  (void)jobs.send(1);
  (void)jobs.send(2);
  // gdb meet: acqrel::channel<int>: rendezvous, 1 waiting to receive
  acqrel::channel<int> meet(acqrel::rendezvous);
  sleeper receives([&] { (void)meet.receive(); });
  receives.until_asleep();
  // gdb shut: acqrel::channel<int>: 0 items, closed
  acqrel::channel<int> shut(acqrel::unbounded);
  shut.close();
  // gdb pile: acqrel::stack<int> of 2 = {3, 2}
  acqrel::stack<int> pile;
  pile.push(2);
  pile.push(3);

  // gdb ages: acqrel::flat_hash_map<int, int> of 2 = {[1] = 36, [2] = 41}
  const acqrel::flat_hash_map<int, int> ages{{1, 36}, {2, 41}};
  // gdb routes: acqrel::cow_map<int, int> of 1 = {[7] = 70}
  // gdb no_routes: acqrel::cow_map<int, int> of 0
  acqrel::cow_map<int, int> routes, no_routes;
  routes.update([](auto& all) { all.upsert(7, 70); });

  // gdb workers: acqrel::worker_pool: 1 job running, 2 queued, 1 thread
  acqrel::worker_pool workers(1);
  acqrel::event begun, go_on;
  (void)workers.post([&] {
    begun.notify();
    go_on.wait();
  });
  begun.wait();
  (void)workers.post([] {});
  (void)workers.post([] {});

  // gdb links: acqrel::resource_pool<int, int>: 2 open, 1 idle, 0 waiting, 2 keys
  acqrel::resource_pool<int, int> links([](int key, const std::stop_token&) { return key; });
  const auto link = links.acquire(1);
  (void)links.acquire(2).operator bool();

  all_is_shown();

  mutex.unlock();
  never.notify();
  go_on.notify();
  (void)meet.send(1);
}

}  // namespace

int main() { show(); }
