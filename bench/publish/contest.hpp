// SPDX-License-Identifier: Apache-2.0
// bench/publish/contest.hpp - one loop body for every way to publish an object and read it.
//
// A contender is a template over the value:
//   template <class T> struct contender {
//     contender();                              // T(1) is current; the destructor returns when nothing of it runs any more
//     struct session {                          // one thread's part: registration
//       explicit session(contender&);
//       auto reader();                          // a small value to keep in registers; its read() gives something
//                                               // with ->, whose end is the release
//       void publish(std::uint64_t number);     // allocate T(number), publish, retire what was current
//       void quiesce();                         // after a batch of 1,024 reads (or reads_in_batch) or 64 publishes
//     };
//   };
#pragma once

#include "bench/harness.hpp"
#include "bench/publish/values.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace bench {

inline constexpr char snapshot_source[] = "snapshot_source";

// ---- loops, inlined into each contender's translation unit ----

enum class between { nothing, stores_and_call };
enum class helper { none, spinner, writer_1khz, writer_storm, reader };

struct read_one {
  template <class Reader>
  [[gnu::always_inline]] void operator()(Reader& reader) const {
    auto&& current = reader.read();
    keep(current->words[0]);
  }
};
struct read_two_at_once {
  template <class Reader>
  [[gnu::always_inline]] void operator()(Reader& reader) const {
    auto&& first = reader.read();
    auto&& second = reader.read();
    keep(first->words[0]);
    keep(second->words[0]);
  }
};

template <class Session>
inline constexpr std::uint64_t reads_in_batch = 1024;
template <class Session>
requires requires { Session::reads_in_batch; }
inline constexpr std::uint64_t reads_in_batch<Session> = Session::reads_in_batch;

template <between Between, class Session, class Read>
[[gnu::noinline]] std::uint64_t read_batch(Session& session, Read read) {
  constexpr std::uint64_t batch = reads_in_batch<Session>;
  auto&& reader = session.reader();
  for (std::uint64_t count = 0; count != batch; ++count) {
    read(reader);
    if constexpr (Between == between::stores_and_call) stores(count);
  }
  session.quiesce();
  return batch;
}

template <class Session>
[[gnu::noinline]] std::uint64_t publish_batch(Session& session) {
  constexpr std::uint64_t batch = 64;
  for (std::uint64_t count = 0; count != batch; ++count) session.publish(count + 2);
  session.quiesce();
  return batch;
}

template <class Contender>
void help(helper role, Contender& contender, turn& mine) {
  using session = typename Contender::session;
  switch (role) {
    case helper::none: break;
    case helper::spinner:
      mine.begin();
      while (mine.running())
        for (int count = 0; count != 1024; ++count) keep(count);
      break;
    case helper::writer_1khz:
      mine.begin();
      for (auto next = std::chrono::steady_clock::now(); mine.running(); std::this_thread::sleep_until(next)) {
        next += std::chrono::milliseconds(1);
        session here(contender);  // registered only while it works: a sleeping thread delays no grace period
        here.publish(2);
      }
      break;
    case helper::writer_storm: {
      session here(contender);
      mine.begin();
      while (mine.running()) publish_batch(here);
      break;
    }
    case helper::reader: {
      session here(contender);
      mine.begin();
      while (mine.running()) read_batch<between::nothing>(here, read_one{});
      break;
    }
  }
}

template <class Contender, class Batch>
std::function<body()> contest(helper role, unsigned threads, Batch batch) {
  return [=] {
    return [=, contender = std::make_shared<Contender>()](turn& mine) {
      if (mine.thread() >= threads) return help(role, *contender, mine);
      typename Contender::session session(*contender);
      batch(session);
      mine.begin();
      std::uint64_t done = 0;
      do done += batch(session);
      while (mine.running());
      mine.end(done);
    };
  };
}

// ---- what each contender enters ----

struct reading {
  const char* variation;
  unsigned threads;
  helper role;
  between gap;
  bool always;  // or for `read` only, to keep the whole under three minutes
};
inline constexpr reading readings[] = {
    {"read_only", 1, helper::none, between::nothing, true},
    {"read_only", 2, helper::none, between::nothing, true},
    {"stores_and_call", 1, helper::none, between::stores_and_call, true},
    {"stores_and_call", 2, helper::none, between::stores_and_call, false},
    {"with_writer_1khz", 1, helper::writer_1khz, between::nothing, true},
    {"with_writer_1khz", 2, helper::writer_1khz, between::nothing, false},
    {"write_storm", 1, helper::writer_storm, between::nothing, true},
    {"oversubscribed", 8, helper::none, between::nothing, false},
};

template <class Contender, class Read>
void enter_readings(const std::string& operation, const std::string& name, Read read,
                    const std::string& environment = {}) {
  for (const auto& each : readings) {
    if (!each.always && operation != "read") continue;
    row what{.type = snapshot_source,
             .operation = operation,
             .contender = name,
             .variation = each.variation,
             .threads = each.threads,
             .helpers = each.role == helper::none ? 0u : 1u,
             .environment = environment};
    if (each.gap == between::nothing)
      enter(what, contest<Contender>(each.role, each.threads,
                                     [=](auto& session) { return read_batch<between::nothing>(session, read); }));
    else
      enter(what, contest<Contender>(each.role, each.threads, [=](auto& session) {
              return read_batch<between::stores_and_call>(session, read);
            }));
  }
}

template <class Contender>
void enter_publishing(const std::string& name, const std::string& environment = {}) {
  const std::pair<const char*, helper> variations[] = {
      {"alone", helper::none}, {"beside_spinner", helper::spinner}, {"with_reader", helper::reader}};
  for (const auto& [variation, role] : variations)
    enter({.type = snapshot_source,
           .operation = "publish",
           .contender = name,
           .variation = variation,
           .threads = 1,
           .helpers = role == helper::none ? 0u : 1u,
           .environment = environment},
          contest<Contender>(role, 1, [](auto& session) { return publish_batch(session); }));
}

/// read, read_nested and publish.
template <template <class> class Contender>
void enter_timings(const std::string& name, const std::string& environment = {}) {
  enter_readings<Contender<plain_value>>("read", name, read_one{}, environment);
  enter_readings<Contender<plain_value>>("read_nested", name, read_two_at_once{}, environment);
  enter_publishing<Contender<plain_value>>(name, environment);
}

}  // namespace bench
