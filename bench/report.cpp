// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <optional>
#include <sstream>

namespace bench {
namespace {

using contest = registry::contest;

bool is_floor(const row& each) { return each.contender.starts_with("floor:"); }

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}
std::string nanoseconds(double value) { return fixed(value, value < 10 ? 2 : value < 1000 ? 1 : 0); }
std::string number(double value) {
  return value == std::floor(value) && std::abs(value) < 1e12 ? fixed(value, 0)
                                                              : fixed(value, std::abs(value) < 10 ? 2 : 1);
}

// The median over the rounds of one contender's time divided by another's in the same round.
std::optional<double> ratio(const std::vector<double>& mine, const std::vector<double>& other) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < std::min(mine.size(), other.size()); ++round)
    ratios.push_back(mine[round] / other[round]);
  if (ratios.empty()) return std::nullopt;
  return median(std::move(ratios));
}

// The samples of the contender of this cell for which test holds, or null.
template <class Test>
const std::vector<double>* samples_of(const results& found, const std::string& cell, Test test) {
  const auto& contests = registered().contests;
  for (std::size_t index = 0; index != contests.size(); ++index)
    if (contests[index].description.cell() == cell && test(contests[index].description) &&
        !found.samples[index].empty())
      return &found.samples[index];
  return nullptr;
}

std::optional<double> ratio_to_floor(const results& found, std::size_t index) {
  const auto* floor = samples_of(found, registered().contests[index].description.cell(), is_floor);
  return floor == nullptr ? std::nullopt : ratio(found.samples[index], *floor);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string json_names(const row& what) {
  return "{\"type\": \"" + escaped(what.type) + "\", \"operation\": \"" + escaped(what.operation) +
         "\", \"contender\": \"" + escaped(what.contender) + "\"";
}

void print_verdict(std::ostream& out, double found, double at_most, const std::string& text) {
  if (found <= at_most)
    out << "  met           ";
  else
    out << "  MISSED " << std::setw(5) << "+" + fixed((found / at_most - 1) * 100, 0) + "%"
        << "  ";
  out << text << '\n';
}

}  // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

void print_tables(std::ostream& out, const results& found) {
  const auto& contests = registered().contests;
  std::vector<std::string> cells;
  std::map<std::string, std::vector<std::size_t>> by_cell;
  for (std::size_t index = 0; index != contests.size(); ++index) {
    if (found.samples[index].empty()) continue;
    const std::string cell = contests[index].description.cell();
    if (by_cell[cell].empty()) cells.push_back(cell);
    by_cell[cell].push_back(index);
  }
  for (const auto& cell : cells) {
    auto& rows = by_cell[cell];
    const row& what = contests[rows.front()].description;
    std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
      const bool first = is_floor(contests[a].description), second = is_floor(contests[b].description);
      return first != second ? first : median(found.samples[a]) < median(found.samples[b]);
    });
    out << '\n'
        << what.type << '/' << what.operation << "  " << what.variation << "  " << what.threads
        << (what.threads == 1 ? " thread" : " threads") << '\n';
    out << "  " << std::left << std::setw(40) << "contender" << std::right << std::setw(10) << "ns" << std::setw(10)
        << "x floor" << '\n';
    for (const auto index : rows) {
      const auto times = ratio_to_floor(found, index);
      out << "  " << std::left << std::setw(40) << contests[index].description.contender << std::right << std::setw(10)
          << nanoseconds(median(found.samples[index])) << std::setw(10) << (times ? fixed(*times, 2) : "-") << '\n';
    }
  }
  const auto& measurements = registered().measurements;
  std::vector<std::string> printed;
  for (std::size_t head = 0; head != measurements.size(); ++head) {
    const row& title = measurements[head].description;
    if (found.figures[head].empty() || std::find(printed.begin(), printed.end(), title.cell()) != printed.end())
      continue;
    printed.push_back(title.cell());
    out << '\n' << title.type << '/' << title.operation << "  " << title.variation << '\n';
    for (std::size_t index = head; index != measurements.size(); ++index) {
      const row& what = measurements[index].description;
      if (what.cell() != title.cell()) continue;
      bool first = true;
      for (const auto& each : found.figures[index]) {
        out << "  " << std::left << std::setw(32) << (first ? what.contender : "") << std::setw(46) << each.name
            << std::right << std::setw(10) << number(each.value) << ' ' << each.unit << '\n';
        first = false;
      }
    }
  }
}

void print_goals(std::ostream& out, const results& found) {
  std::ostringstream lines;
  for (const auto& each : registered().promises) {
    row key;
    key.type = each.type, key.operation = each.operation, key.variation = each.variation, key.threads = each.threads;
    const auto named = [&](const std::string& contender) {
      return samples_of(found, key.cell(), [&](const row& other) { return other.contender == contender; });
    };
    const auto* mine = named(each.contender);
    const auto* other = named(each.against);
    if (mine == nullptr || other == nullptr) continue;
    const double times = *ratio(*mine, *other);
    print_verdict(lines, times, each.at_most,
                  key.cell() + ": " + each.contender + " takes " + fixed(times, 2) + " times \"" + each.against +
                      "\" (goal: at most " + fixed(each.at_most, 2) + ")");
  }
  const auto& measurements = registered().measurements;
  for (const auto& each : registered().bounds)
    for (std::size_t index = 0; index != measurements.size(); ++index) {
      const row& what = measurements[index].description;
      if (what.type != each.type || what.operation != each.operation || what.contender != each.contender) continue;
      for (const auto& value : found.figures[index])
        if (value.name == each.figure)
          print_verdict(lines, value.value, each.at_most,
                        what.type + '/' + what.operation + ": " + each.contender + ", " + each.figure + ": " +
                            number(value.value) + ' ' + value.unit + " (goal: at most " + number(each.at_most) + ")");
    }
  if (!lines.str().empty())
    out << "\ngoals (they depend on the machine and its mood; nothing fails by them)\n" << lines.str();
}

void write_json(std::ostream& out, const results& found) {
  const auto& contests = registered().contests;
  const auto& measurements = registered().measurements;
  const char* separator = "[\n";
  const auto number_or_null = [](const std::optional<double>& value) {
    return value ? fixed(*value, 4) : std::string("null");
  };
  for (std::size_t index = 0; index != contests.size(); ++index) {
    if (found.samples[index].empty()) continue;
    const row& what = contests[index].description;
    out << separator << json_names(what) << ", \"variation\": \"" << escaped(what.variation)
        << "\", \"threads\": " << what.threads << ", \"ns\": " << fixed(median(found.samples[index]), 4)
        << ", \"ratio_to_floor\": " << number_or_null(ratio_to_floor(found, index)) << "}";
    separator = ",\n";
  }
  for (std::size_t index = 0; index != measurements.size(); ++index)
    for (const auto& each : found.figures[index]) {
      const row& what = measurements[index].description;
      out << separator << json_names(what) << ", \"variation\": \"" << escaped(what.variation + ": " + each.name)
          << "\", \"threads\": " << what.threads << ", \"ns\": " << (each.unit == "ns" ? fixed(each.value, 4) : "null")
          << ", \"ratio_to_floor\": null, \"unit\": \"" << escaped(each.unit)
          << "\", \"value\": " << fixed(each.value, 4) << "}";
      separator = ",\n";
    }
  out << (*separator == '[' ? "[]\n" : "\n]\n");
}

}  // namespace bench
