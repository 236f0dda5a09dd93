// SPDX-License-Identifier: Apache-2.0
#include "harness.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>
#include <utility>

namespace bench {
namespace {

std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

// The CPUs this process may use, as it started.
const std::vector<int>& cpus() {
  static const std::vector<int> allowed = [] {
    std::vector<int> found;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
      for (int cpu = 0; cpu != CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) found.push_back(cpu);
    if (found.empty()) found.push_back(0);
    return found;
  }();
  return allowed;
}

// Threads that fit get a CPU each: a reader that shares its CPU with the writer measures the scheduler.
void pin(unsigned thread, unsigned threads) {
  if (threads > cpus().size()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpus()[thread]), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);  // a refusal only costs precision
}

char current_name[256];

}  // namespace

void stores(std::uint64_t value) noexcept {
  alignas(64) static thread_local std::uint64_t lines[16][8];
  for (auto& line : lines) {
    line[0] = value;
    asm volatile("" : : "r"(line) : "memory");
  }
}

std::string row::name() const {
  return type + '/' + operation + '/' + contender + '/' + variation + "/threads:" + std::to_string(threads);
}
std::string row::cell() const {
  return type + '/' + operation + '/' + variation + "/threads:" + std::to_string(threads);
}

void lap::wait_until_all_arrived() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return absent_ == 0; });
}

void lap::open() {
  std::unique_lock lock(mutex_);
  open_ = true;
  changed_.notify_all();
  lock.unlock();
  while (entering_.load() != 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
}

double lap::nanoseconds_per_operation() const {
  if (operations_ == 0) throw std::runtime_error("no measured thread called end() with a count above 0");
  return static_cast<double>(elapsed_) / static_cast<double>(operations_);
}

void turn::begin() {
  {
    std::unique_lock lock(lap_->mutex_);
    if (--lap_->absent_ == 0) lap_->changed_.notify_all();
    lap_->changed_.wait(lock, [&] { return lap_->open_; });
  }
  // A wake-up takes tens of microseconds; meeting again keeps the first thread from running alone for so long.
  lap_->entering_.fetch_sub(1);
  while (lap_->entering_.load() != 0) std::this_thread::yield();
  start_ = now();
}

void turn::end(std::uint64_t operations) {
  const std::int64_t elapsed = now() - start_;
  std::lock_guard lock(lap_->mutex_);
  lap_->elapsed_ += elapsed;
  lap_->operations_ += operations;
}

registry& registered() {
  static registry all;
  return all;
}

void enter(row description, std::function<body()> make) {
  registered().contests.push_back({std::move(description), std::move(make)});
}
void enter_program(row description, std::string program, std::string task) {
  registered().contests.push_back({std::move(description), nullptr, std::move(program), std::move(task)});
}
void enter_measurement(row description, std::function<std::vector<figure>(double)> measure) {
  registered().measurements.push_back({std::move(description), std::move(measure)});
}
void goal(promise wanted) { registered().promises.push_back(std::move(wanted)); }
void goal(bound wanted) { registered().bounds.push_back(std::move(wanted)); }

double repeat(const registry::contest& contest, double milliseconds) {
  const row& what = contest.description;
  set_current(what.name());
  const unsigned all = what.threads + what.helpers;
  const body run = contest.make();
  lap shared(all);
  std::vector<std::jthread> threads;
  for (unsigned index = 0; index != all; ++index)
    threads.emplace_back([&, index] {
      pin(index, all);
      turn mine(shared, index);
      run(mine);
    });
  shared.wait_until_all_arrived();
  shared.open();
  std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(milliseconds));
  shared.stop();
  threads.clear();
  // With more threads than CPUs each gets a share of the time; count the share, not the wait for it.
  const double share = std::min(1.0, static_cast<double>(cpus().size()) / all);
  return shared.nanoseconds_per_operation() * share;
}

void set_current(const std::string& name) {
  const std::size_t length = std::min(name.size(), sizeof current_name - 1);
  std::memcpy(current_name, name.data(), length);
  current_name[length] = '\0';
}
const char* current() noexcept { return current_name; }

}  // namespace bench
