// How a profile of waits is written. The format of pprof is profile.proto of github.com/google/pprof.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/contention.hpp>

#include "symbols.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace acqrel {
namespace {

const char* name_of(probe what) noexcept {
  switch (what) {
    case probe::lock: return "lock";
    case probe::wait: return "wait";
    case probe::retry: return "retry";
  }
  return "";
}

// A return address lies behind its call, which may be the last of a function.
constexpr std::uintptr_t call_before(std::uintptr_t return_address) noexcept { return return_address - 1; }

// Functions that wait. Those that run what the user gave them are called `run`: the compiler may have put it into them.
bool waits_for_its_caller(const std::string& function) noexcept {
  for (const char* const lock : {"std::lock_guard<", "std::unique_lock<", "std::scoped_lock<", "std::shared_lock<"}) {
    if (function.rfind(lock, 0) == 0) return true;
  }
  const std::size_t name = function.rfind("void ", 0) == 0 ? 5 : 0;
  return function.compare(name, 8, "acqrel::") == 0 && function.find("::run(") == function.npos;
}

// Without the frames of this library that are nearest: who called them is the place. With all, if nobody else is there.
std::size_t first_caller(const std::vector<std::uintptr_t>& stack, const symbols& known) {
  std::size_t first = 0;
  while (first != stack.size() && waits_for_its_caller(known.name(call_before(stack[first])))) ++first;
  return first == stack.size() ? 0 : first;
}

// The function, or the file that it is in.
std::string name_or_file(std::uintptr_t address, const symbols& known) {
  std::string name = known.name(address);
  if (!name.empty()) return name;
  const std::size_t module = known.module_of(address);
  if (module == known.modules().size()) return "[unknown]";
  const std::string& path = known.modules()[module].path;
  return '[' + path.substr(path.rfind('/') + 1) + ']';
}

// ---- protocol buffers: a field is its number and kind, then a number, or a length and so many bytes ----

class message {
 public:
  void number(unsigned field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
  }
  void bytes(unsigned field, const std::string& value) {
    varint(field << 3 | 2);
    varint(value.size());
    text += value;
  }
  void message_in(unsigned field, const message& value) { bytes(field, value.text); }

  std::string text;

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
    text += static_cast<char>(value);
  }
};

class profile {
 public:
  profile() { (void)string(""); }

  std::uint64_t string(const std::string& text) {
    const auto [at, added] = strings_.try_emplace(text, strings_.size());
    if (added) all.bytes(6, text);
    return at->second;
  }
  message value_type(const char* type, const char* unit) {
    message m;
    m.number(1, string(type));
    m.number(2, string(unit));
    return m;
  }
  std::uint64_t function(const std::string& name) {
    const auto [at, added] = functions_.try_emplace(name, functions_.size() + 1);
    if (added) {
      message m;
      m.number(1, at->second);
      m.number(2, string(name));
      m.number(3, string(name));
      all.message_in(5, m);
    }
    return at->second;
  }
  std::uint64_t location(std::uintptr_t address, const symbols& known) {
    const auto [at, added] = locations_.try_emplace(address, locations_.size() + 1);
    if (added) {
      message m;
      m.number(1, at->second);
      if (const std::size_t module = known.module_of(address); module != known.modules().size())
        m.number(2, module + 1);
      m.number(3, address);
      if (const std::string name = known.name(address); !name.empty()) {
        message line;
        line.number(1, function(name));
        m.message_in(4, line);
      }
      all.message_in(4, m);
    }
    return at->second;
  }

  message all;

 private:
  std::map<std::string, std::uint64_t> strings_;
  std::map<std::string, std::uint64_t> functions_;
  std::map<std::uintptr_t, std::uint64_t> locations_;
};

}  // namespace

std::string contention::pprof() const {
  const symbols known;
  profile to;
  to.all.message_in(1, to.value_type("contentions", "count"));
  to.all.message_in(1, to.value_type("delay", "nanoseconds"));
  for (std::size_t i = 0; i != known.modules().size(); ++i) {
    const code_module& each = known.modules()[i];
    message m;
    m.number(1, i + 1);
    m.number(2, each.begin);
    m.number(3, each.end);
    m.number(4, each.file_offset);
    m.number(5, to.string(each.path));
    m.number(7, 1);  // has functions: otherwise pprof would look for them in the files, which may have changed
    to.all.message_in(3, m);
  }
  for (const site& each : sites) {
    message m;
    for (std::size_t i = first_caller(each.stack, known); i != each.stack.size(); ++i) {
      m.number(1, to.location(call_before(each.stack[i]), known));
    }
    m.number(2, static_cast<std::uint64_t>(std::llround(each.times)));
    m.number(2, static_cast<std::uint64_t>(each.waited.count()));
    message label;
    label.number(1, to.string("wait"));
    label.number(2, to.string(name_of(each.what)));
    m.message_in(3, label);
    to.all.message_in(2, m);
  }
  to.all.number(10, static_cast<std::uint64_t>(duration.count()));
  to.all.number(14, to.string("delay"));
  return std::move(to.all.text);
}

std::string contention::folded() const {
  const symbols known;
  std::map<std::string, std::int64_t> lines;
  for (const site& each : sites) {
    if (each.what == probe::retry) continue;
    std::string line;
    for (std::size_t i = each.stack.size(); i-- != 0;) {
      if (!line.empty()) line += ';';
      line += name_or_file(call_before(each.stack[i]), known);
    }
    lines[line] += each.waited.count();
  }
  std::string all;
  for (const auto& [line, nanoseconds] : lines) all += line + ' ' + std::to_string(nanoseconds) + '\n';
  return all;
}

std::string contention::table(std::size_t places) const {
  const symbols known;
  std::int64_t in_all = 0;
  for (const site& each : sites) in_all += each.waited.count();
  std::string text;
  char line[160];
  std::snprintf(line, sizeof line, "waited %.3f s in all, in %.3f s; %zu places\n", static_cast<double>(in_all) / 1e9,
                static_cast<double>(duration.count()) / 1e9, sites.size());
  text += line;
  for (const site& each : sites) {
    if (places-- == 0) break;
    const double waited = static_cast<double>(each.waited.count());
    if (each.what == probe::retry) {
      std::snprintf(line, sizeof line, "\n  %.0f retries\n", each.times);
    } else {
      std::snprintf(line, sizeof line, "\n  %5.1f %%  %.3f s  %s  %.0f times, %.1f us each\n",
                    in_all == 0 ? 0 : 100 * waited / static_cast<double>(in_all), waited / 1e9, name_of(each.what),
                    each.times, waited / each.times / 1e3);
    }
    text += line;
    constexpr std::size_t most_shown = 8;
    const std::size_t first = first_caller(each.stack, known);
    const std::size_t end = std::min(each.stack.size(), first + most_shown);
    for (std::size_t i = first; i != end; ++i) {
      text += "      " + name_or_file(call_before(each.stack[i]), known) + '\n';
    }
  }
  if (lost != 0) {
    std::snprintf(line, sizeof line, "\n  %llu samples are not counted: there were more places than room\n",
                  static_cast<unsigned long long>(lost));
    text += line;
  }
  return text;
}

}  // namespace acqrel
