// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/registry.hpp>

#include <algorithm>
#include <stdexcept>

namespace acqrel {

// A series: one number, which is there before the series is.
struct registry::entry {
  registry::labels labels;
  std::unique_ptr<sharded_counter> counter = nullptr;
  std::unique_ptr<acqrel::gauge> gauge = nullptr;
  std::unique_ptr<acqrel::histogram> histogram = nullptr;
  std::shared_ptr<const std::function<double()>> asked = nullptr;
};

struct registry::named {
  std::string help;
  registry::kind kind;
  std::map<registry::labels, entry> series = {};
  std::optional<entry> rest = {};  // of all labels that found no room
};

registry::registry(options how) : options_(how) {}
registry::~registry() = default;

namespace {

const char* word(registry::kind what) {
  switch (what) {
    case registry::kind::counter: return "counter";
    case registry::kind::gauge: return "gauge";
    case registry::kind::histogram: return "histogram";
  }
  return "";
}

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
  throw std::invalid_argument("acqrel: registry: \"" + std::string(name) + "\": " + why);
}

bool is_word(std::string_view text, bool colons) {
  const auto letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
  };
  return !text.empty() && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void check(std::string_view name, registry::kind what, const registry::labels& of) {
  if (!is_word(name, true)) refuse(name, "a name has letters, digits, _ and :, and begins with no digit");
  if (what == registry::kind::counter && !name.ends_with("_total"))
    refuse(name, "the name of a counter ends in _total; what may go down is a gauge");
  if (what != registry::kind::counter && name.ends_with("_total"))
    refuse(name, "only the name of a counter ends in _total");
  for (const char* suffix : {"_bucket", "_count", "_sum", "_info", "_created"}) {
    if (name.ends_with(suffix)) refuse(name, std::string(suffix) + " at its end means something else to Prometheus");
  }
  for (const auto& [label, value] : of) {
    if (!is_word(label, false) || label.starts_with("__"))
      refuse(name, "label \"" + label + "\": it has letters, digits and _, and begins with no digit and no __");
    if (what == registry::kind::histogram && label == "le")
      refuse(name, "the label le is that of a histogram's buckets");
  }
}

}  // namespace

// Under mutex_. `fill` makes the number of a new series.
template <class Fill>
registry::entry& registry::find(std::string_view name, std::string_view help, kind what, const labels& of, Fill fill) {
  const auto at = families_.find(name);
  if (at != families_.end()) {
    named& there = *at->second;
    if (there.kind != what) refuse(name, std::string("it is a ") + word(there.kind) + " already, no " + word(what));
    const auto known = there.series.find(of);
    if (known != there.series.end()) return known->second;
    check(name, what, of);
    if (there.series.size() >= options_.series) {
      overflowed_.add();
      if (!there.rest) {
        entry rest{.labels = {{"overflow", "true"}}};
        fill(rest);
        there.rest = std::move(rest);
      }
      return *there.rest;
    }
  }
  check(name, what, of);
  entry made{.labels = of};
  fill(made);
  named& into = *(at != families_.end()
                      ? at->second
                      : families_.emplace(name, std::make_unique<named>(named{.help = std::string(help), .kind = what}))
                            .first->second);
  return into.series.emplace(of, std::move(made)).first->second;
}

sharded_counter& registry::counter(std::string_view name, std::string_view help, const labels& of) {
  const std::lock_guard lock(mutex_);
  entry& found =
      find(name, help, kind::counter, of, [](entry& made) { made.counter = std::make_unique<sharded_counter>(); });
  if (found.asked) refuse(name, "a function is asked for it");
  return *found.counter;
}

gauge& registry::gauge(std::string_view name, std::string_view help, const labels& of) {
  const std::lock_guard lock(mutex_);
  entry& found = find(name, help, kind::gauge, of, [](entry& made) { made.gauge = std::make_unique<acqrel::gauge>(); });
  if (found.asked) refuse(name, "a function is asked for it");
  return *found.gauge;
}

histogram& registry::histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                               const labels& of) {
  const std::lock_guard lock(mutex_);
  entry& found = find(name, help, kind::histogram, of,
                      [&](entry& made) { made.histogram = std::make_unique<acqrel::histogram>(bounds); });
  if (found.histogram->bounds() != bounds) refuse(name, "it has other bounds already");
  return *found.histogram;
}

void registry::ask(kind what, std::string_view name, std::string_view help, const labels& of,
                   std::function<double()> value) {
  if (what == kind::histogram) refuse(name, "a function gives one number, a histogram has many");
  const auto asked = std::make_shared<const std::function<double()>>(std::move(value));
  const std::lock_guard lock(mutex_);
  if (find(name, help, what, of, [&](entry& made) { made.asked = asked; }).asked != asked)
    refuse(name, "it is there already");
}

std::vector<registry::family> registry::read() const {
  std::vector<family> all;
  std::vector<std::pair<std::shared_ptr<const std::function<double()>>, std::pair<std::size_t, std::size_t>>> asked;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, from] : families_) {
      family& into = all.emplace_back(family{.name = name, .help = from->help, .kind = from->kind, .series = {}});
      const auto add = [&](const entry& one) {
        series& now = into.series.emplace_back(series{.labels = one.labels});
        if (one.counter) now.value = static_cast<double>(one.counter->value());
        if (one.gauge) now.value = one.gauge->value();
        if (one.histogram) now.values = one.histogram->read();
        if (one.asked) asked.push_back({one.asked, {all.size() - 1, into.series.size() - 1}});
      };
      for (const auto& [key, one] : from->series) add(one);
      if (from->rest) add(*from->rest);
    }
  }
  for (const auto& [function, where] : asked) all[where.first].series[where.second].value = (*function)();
  return all;
}

}  // namespace acqrel
