// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/publications.hpp>

#include "../publish/publication.hpp"
#include "../reclaim/hazard_domain.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace acqrel {

namespace {

std::string thread_name(int thread) {
  std::string name;
  std::getline(std::ifstream("/proc/self/task/" + std::to_string(thread) + "/comm"), name);
  return name;
}

struct live_version {
  const hazard_object* object;
  const published_version* version;
  std::uint64_t handed;  // references, by scans to guards
};

// Under the mutex of the publication, so that none of its versions is destroyed and its address used again.
publications::source look_at(const publication& books) {
  // A clock that was given may be gone with the source.
  const bool stands = books.ended && &books.time != &time_source::steady();
  const steady_deadline now = stands ? books.changed : books.time.now();
  publications::source all{};
  all.name = books.name;
  all.ended = books.ended;
  all.publishes = books.publishes;
  all.age = now - books.changed;
  std::vector<live_version> versions;
  for (const published_version* each = books.newest; each != nullptr; each = each->next) {
    versions.push_back({each, each, 0});
    ++all.live;
    if (each->is_current()) {
      all.generation = each->generation;
    } else {
      ++all.waiting;
      all.bytes_waiting += each->bytes;
    }
  }
  std::ranges::sort(versions, {}, &live_version::object);
  hazard_domain::for_each_guard([&](const hazard_slot& slot, const hazard_object* object, bool handed, int thread) {
    const auto found = std::ranges::lower_bound(versions, object, {}, &live_version::object);
    if (found == versions.end() || found->object != object) return;
    const published_version& version = *found->version;
    const steady_deadline::duration replaced{version.is_current() ? steady_deadline::duration(0)
                                                                  : now - version.replaced};
    all.guards.push_back({thread, version.generation, replaced, now - version.published, &slot, object});
    if (handed) ++found->handed;
  });
  std::ranges::sort(all.guards, std::greater(),
                    [](const publications::guard& each) { return std::pair(each.at_least, each.at_most); });
  // One reference is that of the cell, or of the list of what is to be destroyed; or those that guards were handed are.
  for (const live_version& each : versions) {
    const std::uint64_t references = hazard_domain::count_references(each.object);
    const std::uint64_t others = std::max<std::uint64_t>(each.handed, 1);
    all.counted += references > others ? references - others : 0;
  }
  return all;
}

const char* name_of(fence_mode mode) { return mode == fence_mode::full ? "full" : "asymmetric"; }

std::string format(const char* how, auto... what) {
  const int size = std::snprintf(nullptr, 0, how, what...);
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  std::snprintf(text.data(), text.size(), how, what...);
  text.pop_back();
  return text;
}

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (const char each : text) {
    if (static_cast<unsigned char>(each) < ' ') {
      all += format("\\u%04x", static_cast<unsigned>(each));
      continue;
    }
    if (each == '"' || each == '\\') all += '\\';
    all += each;
  }
  return all + '"';
}

}  // namespace

publications publications::now() {
  publications all{current_fence_mode(), {}};
  {
    const std::lock_guard lock(publication::all_mutex);
    for (publication* each = publication::all; each != nullptr; each = each->next) {
      const std::lock_guard its(each->mutex);
      all.sources.push_back(look_at(*each));
    }
  }
  std::ranges::reverse(all.sources);
  for (source& each : all.sources) {
    if (!each.guards.empty()) each.oldest_name = thread_name(each.guards.front().thread);
  }
  return all;
}

std::string publications::json() const {
  std::string all = format("{\"fences\":\"%s\",\"sources\":[", name_of(fences));
  for (const source& each : sources) {
    if (&each != sources.data()) all += ',';
    all += "\n {\"name\":" + quoted(each.name);
    all += format(",\"ended\":%s,\"generation\":%llu,\"publishes\":%llu,\"age\":%.9f", each.ended ? "true" : "false",
                  static_cast<unsigned long long>(each.generation), static_cast<unsigned long long>(each.publishes),
                  seconds(each.age));
    all += format(",\"live\":%zu,\"waiting\":%zu,\"bytes_waiting\":%llu,\"counted\":%llu,\"guards\":%zu,\"oldest\":",
                  each.live, each.waiting, static_cast<unsigned long long>(each.bytes_waiting),
                  static_cast<unsigned long long>(each.counted), each.guards.size());
    if (each.guards.empty()) {
      all += "null}";
      continue;
    }
    const guard& oldest = each.guards.front();
    all += format("{\"thread\":%d,\"name\":", oldest.thread) + quoted(each.oldest_name);
    all +=
        format(",\"generation\":%llu,\"at_least\":%.9f,\"at_most\":%.9f}}",
               static_cast<unsigned long long>(oldest.generation), seconds(oldest.at_least), seconds(oldest.at_most));
  }
  return all + "]}\n";
}

std::string publications::table() const {
  std::string all =
      format("%-24s %10s %10s %10s %5s %8s %12s %7s %7s  oldest guard (fences: %s)\n", "source", "generation",
             "publishes", "age", "live", "waiting", "bytes", "counted", "guards", name_of(fences));
  for (const source& each : sources) {
    all += format("%-24s %10llu %10llu %8.3f s %5zu %8zu %12llu %7llu %7zu  ",
                  (each.name + (each.ended ? " (ended)" : "")).c_str(),
                  static_cast<unsigned long long>(each.generation), static_cast<unsigned long long>(each.publishes),
                  seconds(each.age), each.live, each.waiting, static_cast<unsigned long long>(each.bytes_waiting),
                  static_cast<unsigned long long>(each.counted), each.guards.size());
    if (each.guards.empty()) {
      all += "none\n";
      continue;
    }
    const guard& oldest = each.guards.front();
    all += format("thread %d %s, version %llu, %s %.3f s\n", oldest.thread, each.oldest_name.c_str(),
                  static_cast<unsigned long long>(oldest.generation),
                  oldest.at_least.count() != 0 ? "at least" : "at most",
                  seconds(oldest.at_least.count() != 0 ? oldest.at_least : oldest.at_most));
  }
  return all;
}

guard_watchdog::guard_watchdog(std::chrono::nanoseconds longer_than, function told, std::chrono::nanoseconds every,
                               time_source& time)
    : longer_than_(longer_than), told_of_(std::move(told)), every_(every), time_(time) {
  if (every.count() < 1 || longer_than.count() < 0 || told_of_ == nullptr) {
    throw std::invalid_argument(
        "acqrel: guard_watchdog: give it a function, a time of at least 0 and an interval of at least 1 ns");
  }
  thread_ = std::thread([this] { watch(); });
}

guard_watchdog::~guard_watchdog() {
  // plain: only asks; nothing is handed over
  ended_.store(1, std::memory_order_relaxed);
  unpark_all(ended_);
  thread_.join();
}

void guard_watchdog::watch() {
  for (;;) {
    const steady_deadline now = time_.now();
    look();
    const bool ever = every_ < steady_deadline::max() - now;
    if (time_.park_until(ended_, 0, ever ? now + every_ : steady_deadline::max())) return;
  }
}

void guard_watchdog::look() {
  std::vector<publications::guard> held;
  for (const publications::source& source : publications::now().sources) {
    for (const publications::guard& each : source.guards) {
      if (each.at_least <= longer_than_) break;
      const bool known = std::ranges::any_of(told_, [&](const publications::guard& other) {
        return other.slot == each.slot && other.version == each.version && other.generation == each.generation;
      });
      held.push_back(each);
      if (!known) told_of_(source, each);
    }
  }
  told_ = std::move(held);
}

}  // namespace acqrel
