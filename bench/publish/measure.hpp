// SPDX-License-Identifier: Apache-2.0
// bench/publish/measure.hpp - what no stopwatch shows: memory behind a stalled reader, who destroys and how soon, and what
// waits after a storm of publishes. The contender is as in contest.hpp; drain(contender) is its "destroy all you can now".
#pragma once

#include "bench/publish/contest.hpp"
#include "bench/publish/values.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bench {

/// The exact count: VmRSS of /proc/self/status lags by some pages per CPU.
inline double resident_megabytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string word; rollup >> word;)
    if (double kilobytes = 0; word == "Rss:" && rollup >> kilobytes) return kilobytes / 1024;
  throw std::runtime_error("/proc/self/smaps_rollup has no line Rss:");
}

template <class Session>
void publish_many(Session& session, std::uint64_t count) {
  for (std::uint64_t done = 0; done < count; done += 64) publish_batch(session);
}

inline void wait_for(const std::atomic<std::uint64_t>& word, std::uint64_t value) {
  while (word.load() != value) std::this_thread::yield();
}

/// Waits outside of any guard, as a good citizen of each scheme does.
template <class Session, class Done>
void idle_until(Session& session, Done done) {
  while (!done()) {
    session.quiesce();
    std::this_thread::yield();
  }
}
template <class Session>
void idle_for(Session& session, std::chrono::microseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  idle_until(session, [=] { return std::chrono::steady_clock::now() >= until; });
}

/// One reader holds its guard for ever. The program's code and the allocator are warm before the first look at memory.
template <class Contender>
std::vector<figure> stalled_reader_growth(double scale) {
  const auto publishes = static_cast<std::uint64_t>(1e6 * scale);
  Contender contender;
  std::atomic<std::uint64_t> phase{0};
  typename Contender::session session(contender);
  publish_many(session, 256);
  resident_megabytes();  // its own first pages
  std::jthread reader([&] {
    typename Contender::session here(contender);
    auto&& guard = here.reader().read();
    phase.store(1);
    wait_for(phase, 2);
    keep(guard->words[0]);
  });
  wait_for(phase, 1);
  const double before = resident_megabytes();
  const auto start = std::chrono::steady_clock::now();
  publish_many(session, publishes);
  const double took = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
  const double grown = resident_megabytes() - before;
  phase.store(2);
  reader.join();
  return {{"growth of resident memory", "MB", grown},
          {"a publish beside it", "ns", took / static_cast<double>(publishes)}};
}

/// A guard is held across a publish; who destroys the old version after the release, and how soon?
template <class Contender>
std::vector<figure> promptness(double scale) {
  using clock = traced_value::clock;
  const auto rounds = std::max<std::uint64_t>(5, static_cast<std::uint64_t>(500 * scale));
  Contender contender;
  std::atomic<std::uint64_t> held{0}, published{0}, released{0};
  clock::time_point release_start;
  std::jthread reader([&] {
    typename Contender::session here(contender);
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      {
        auto&& guard = here.reader().read();
        keep(guard->words[0]);
        held.store(round);
        wait_for(published, round);
        release_start = clock::now();
      }
      released.store(round);
      idle_until(here, [&] { return held.load() == 0; });
    }
  });
  typename Contender::session session(contender);
  std::vector<double> gaps;
  std::uint64_t by_reader = 0, by_publisher = 0;
  const auto reader_id = reader.get_id();
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    idle_until(session, [&] { return held.load() == round; });
    traced_value::watched.store(round);  // the current version: T(1) at first, then what the round before published
    session.publish(round + 1);
    published.store(round);
    wait_for(released, round);
    idle_for(session, std::chrono::milliseconds(1));  // and so the publishes are a calm stream, not a storm
    if (traced_value::watched.exchange(0) == 0) {
      gaps.push_back(std::chrono::duration<double, std::nano>(traced_value::destroyed_at - release_start).count());
      by_reader += traced_value::destroyed_by == reader_id;
      by_publisher += traced_value::destroyed_by == std::this_thread::get_id();
    }
    held.store(0);
  }
  const auto percent = [&](std::uint64_t part) {
    return 100.0 * static_cast<double>(part) / static_cast<double>(rounds);
  };
  std::vector<figure> figures{
      {"destroyed by the releasing reader", "%", percent(by_reader)},
      {"destroyed by the publisher, within 1 ms", "%", percent(by_publisher)},
      {"destroyed by a helper thread, within 1 ms", "%", percent(gaps.size() - by_reader - by_publisher)},
      {"still there 1 ms after the release", "%", percent(rounds - gaps.size())}};
  if (!gaps.empty()) {
    std::sort(gaps.begin(), gaps.end());
    figures.push_back({"release to destruction, p50 of those gone", "ns", gaps[gaps.size() / 2]});
    figures.push_back({"release to destruction, p99 of those gone", "ns", gaps[gaps.size() * 99 / 100]});
  }
  return figures;
}

/// Publishes flat out, then silence: what still waits to be destroyed, and what one later publish and a drain leave.
template <class Contender>
std::vector<figure> storm_remainder(double scale) {
  const auto publishes = static_cast<std::uint64_t>(1e6 * scale);
  const auto waiting = [] { return static_cast<double>(counted_value::alive.load() - 1); };
  Contender contender;
  typename Contender::session session(contender);
  std::atomic<bool> over{false};
  std::jthread reader([&] {
    typename Contender::session here(contender);
    while (!over.load()) read_batch<between::nothing>(here, read_one{});
  });
  publish_many(session, publishes);
  idle_for(session, std::chrono::milliseconds(1));
  const double silence = waiting();
  session.publish(2);
  idle_for(session, std::chrono::milliseconds(1));
  const double later = waiting();
  over.store(true);
  reader.join();
  drain(contender, session);
  return {{"waiting after 1 ms of silence", "versions", silence},
          {"waiting after one later publish", "versions", later},
          {"waiting after a drain", "versions", waiting()}};
}

template <template <class> class Contender>
void enter_measurements(const std::string& name, const std::string& environment = {}) {
  const auto row_for = [&](const char* operation, const char* variation) {
    return row{.type = snapshot_source,
               .operation = operation,
               .contender = name,
               .variation = variation,
               .threads = 1,
               .helpers = 1,
               .environment = environment};
  };
  enter_measurement(row_for("stalled_reader_rss", "1,000,000 publishes"),
                    stalled_reader_growth<Contender<plain_value>>);
  enter_measurement(row_for("promptness", "guard held across a publish"), promptness<Contender<traced_value>>);
  enter_measurement(row_for("storm_remainder", "1,000,000 publishes beside a reader"),
                    storm_remainder<Contender<counted_value>>);
}

}  // namespace bench
