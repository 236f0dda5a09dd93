// SPDX-License-Identifier: Apache-2.0
// The benchmark program. bench/README.md says how to run it and how to read what it prints.
#include "child.hpp"
#include "go.hpp"
#include "harness.hpp"
#include "report.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <exception>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

const char usage[] =
    "benchmarks [--only=REGEX] [--json=FILE] [--rounds=N] [--ms=N] [--smoke] [--list]\n"
    "  --only=REGEX  what matches somewhere in type/operation/contender/variation/threads:N (floors always run along)\n"
    "  --json=FILE   also writes the results there\n"
    "  --rounds=N    repetitions of every contender, interleaved (40)\n"
    "  --ms=N        milliseconds of one repetition (8)\n"
    "  --smoke       one short round, no tables: does every benchmark still run?\n"
    "  --list        the names, and ends\n";

struct options {
  std::string only = ".", json, measure;
  int rounds = 40;
  double milliseconds = 8;
  bool smoke = false, list = false, serve = false;
};

options parse(int count, char** arguments) {
  options chosen;
  for (int index = 1; index != count; ++index) {
    const std::string argument = arguments[index];
    const auto equals = argument.find('=');
    const std::string key = argument.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    try {
      if (key == "--only")
        chosen.only = value;
      else if (key == "--json")
        chosen.json = value;
      else if (key == "--rounds")
        chosen.rounds = std::stoi(value);
      else if (key == "--ms")
        chosen.milliseconds = std::stod(value);
      else if (key == "--smoke")
        chosen.smoke = true;
      else if (key == "--list")
        chosen.list = true;
      else if (key == "--serve")
        chosen.serve = true;  // a child of this program: repetitions asked for on its input
      else if (key == "--measure")
        chosen.measure = value;  // a child of this program: one measurement
      else
        throw std::runtime_error("unknown argument " + argument + "\n" + usage);
    } catch (const std::logic_error&) {
      throw std::runtime_error(key + " needs a number, not \"" + value + "\"\n" + usage);
    }
  }
  if (chosen.rounds < 1 || !(chosen.milliseconds > 0))
    throw std::runtime_error("--rounds and --ms need a number above 0\n" + std::string(usage));
  if (chosen.smoke) chosen.rounds = 1, chosen.milliseconds = 10;
  return chosen;
}

extern "C" void name_the_crash(int signal_number) {
  const auto say = [](const char* text) { [[maybe_unused]] const auto written = write(2, text, std::strlen(text)); };
  say("\nbenchmarks: crashed in ");
  say(bench::current());
  say("\n");
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

class progress {
 public:
  explicit progress(std::size_t steps) : steps_(steps) {}
  ~progress() {
    if (terminal_) std::cerr << "\r\033[K";
  }
  void step(const std::string& what) {
    ++done_;
    const auto now = clock::now();
    if (now - last_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000)) && done_ != 1)
      return;
    last_ = now;
    const double passed = std::chrono::duration<double>(now - start_).count();
    const double left = passed / static_cast<double>(done_) * static_cast<double>(steps_ - done_);
    std::cerr << (terminal_ ? "\r\033[K" : "") << "[" << std::setw(3) << 100 * done_ / steps_ << "%] ";
    if (passed > 1) std::cerr << "about " << std::lround(left) << " s left, ";
    std::cerr << "now " << what << (terminal_ ? "" : "\n") << std::flush;
  }

 private:
  using clock = std::chrono::steady_clock;
  std::size_t steps_, done_ = 0;
  bool terminal_ = isatty(2) == 1;
  clock::time_point start_ = clock::now(), last_ = start_;
};

// "INDEX MILLISECONDS" a line in, nanoseconds a line out.
void serve() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::size_t index = 0;
    double milliseconds = 0;
    words >> index >> milliseconds;
    std::cout << std::setprecision(12) << bench::repeat(bench::registered().contests.at(index), milliseconds)
              << std::endl;
  }
}

// Name, unit and value of each figure, a tab between.
void measure(const options& chosen) {
  const auto& measurement = bench::registered().measurements.at(std::stoul(chosen.measure));
  bench::set_current(measurement.description.name());
  for (const auto& each : measurement.measure(chosen.smoke ? 0.005 : 1.0))
    std::cout << each.name << '\t' << each.unit << '\t' << std::setprecision(12) << each.value << '\n';
}

// One repetition of one contender: here, in a child of this program with an environment of its own, or in another program.
class stage {
 public:
  double repeat(std::size_t index, double milliseconds) {
    const auto& contest = bench::registered().contests[index];
    const auto& what = contest.description;
    if (!contest.program.empty()) {
      auto& child = programs_[contest.program];
      if (!child) child = std::make_unique<bench::child>(contest.program);
      return ask(*child, contest.task + ' ' + std::to_string(what.threads), what, milliseconds);
    }
    if (what.environment.empty()) return bench::repeat(contest, milliseconds);
    auto& child = environments_[what.environment];
    if (!child) child = std::make_unique<bench::child>(std::vector<std::string>{"--serve"}, what.environment);
    return ask(*child, std::to_string(index), what, milliseconds);
  }
  void end() {
    for (auto& [environment, child] : environments_) child->join("benchmarks started with " + environment);
    for (auto& [program, child] : programs_) child->join(program);
  }

 private:
  static double ask(bench::child& child, const std::string& task, const bench::row& what, double milliseconds) {
    child.send(task + ' ' + std::to_string(milliseconds));
    std::string answer;
    if (child.receive(answer)) return std::stod(answer);
    child.join(what.name());
    throw std::runtime_error(what.name() + ": its child process closed its output");
  }

  std::map<std::string, std::unique_ptr<bench::child>> environments_, programs_;
};

std::vector<bench::figure> measure_in_child(std::size_t index, bool smoke) {
  std::vector<std::string> arguments{"--measure=" + std::to_string(index)};
  if (smoke) arguments.push_back("--smoke");
  const auto& what = bench::registered().measurements[index].description;
  bench::child child(arguments, what.environment);
  std::vector<bench::figure> figures;
  for (std::string line; child.receive(line);) {
    std::istringstream fields(line);
    bench::figure each;
    std::string value;
    std::getline(std::getline(std::getline(fields, each.name, '\t'), each.unit, '\t'), value);
    each.value = std::stod(value);
    figures.push_back(each);
  }
  child.join(what.name());
  if (figures.empty()) throw std::runtime_error(what.name() + ": its child process printed no figure");
  return figures;
}

std::string machine() {
  std::string model = "unknown processor";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " CPUs, compiled by " +
#ifdef __clang__
         "clang " + __clang_version__;
#else
         "g++ " + __VERSION__;
#endif
}

void run(const options& chosen) {
  const std::regex only(chosen.only);
  const auto& contests = bench::registered().contests;
  const auto& measurements = bench::registered().measurements;
  bench::results found;
  found.samples.resize(contests.size());
  found.figures.resize(measurements.size());

  std::vector<std::vector<std::size_t>> cells;
  std::map<std::string, std::size_t> cell_of;
  const auto wanted = [&](const bench::row& what) { return std::regex_search(what.name(), only); };
  for (const auto& each : contests)
    if (wanted(each.description) && cell_of.emplace(each.description.cell(), cells.size()).second) cells.emplace_back();
  std::size_t steps = 0;
  for (std::size_t index = 0; index != contests.size(); ++index) {
    const auto& what = contests[index].description;
    const auto cell = cell_of.find(what.cell());
    if (cell == cell_of.end() || (!wanted(what) && !what.contender.starts_with("floor:"))) continue;
    cells[cell->second].push_back(index);
    steps += static_cast<std::size_t>(chosen.rounds);
  }
  for (const auto& each : measurements) steps += wanted(each.description) ? 1u : 0u;
  if (steps == 0) throw std::runtime_error("no benchmark matches --only=" + chosen.only + "; --list shows the names");

  progress line(steps);
  stage stage;
  for (int round = 0; round != chosen.rounds; ++round) {
    std::minstd_rand order(static_cast<unsigned>(round) +
                           1);  // another order each round: nobody always follows the same rival
    for (auto& cell : cells) {
      std::shuffle(cell.begin(), cell.end(), order);
      for (const auto index : cell) {
        line.step(contests[index].description.name());
        found.samples[index].push_back(stage.repeat(index, chosen.milliseconds));
      }
    }
  }
  stage.end();
  for (std::size_t index = 0; index != measurements.size(); ++index) {
    if (!wanted(measurements[index].description)) continue;
    line.step(measurements[index].description.name());
    found.figures[index] = measure_in_child(index, chosen.smoke);
  }

  if (chosen.smoke) {
    std::cout << steps << " benchmarks ran\n";
  } else {
    if (!bench::have_go)
      std::cout << "without the contenders in Go: there was no go 1.19 or later when this was built\n";
    std::cout << machine() << "\nmedians of " << chosen.rounds << " interleaved rounds of " << chosen.milliseconds
              << " ms; \"x floor\" is the median of each round's own ratio\n";
    bench::print_tables(std::cout, found);
    bench::print_goals(std::cout, found);
  }
  if (chosen.json.empty()) return;
  std::ofstream file(chosen.json);
  bench::write_json(file, found);
  file.close();
  if (!file)
    throw std::runtime_error("could not write " + chosen.json + "; give --json= a file in a folder that exists");
  std::cout << "\nwritten: " << chosen.json << '\n';
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const options chosen = parse(count, arguments);
    signal(SIGPIPE, SIG_IGN);
    for (const int each : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) signal(each, name_the_crash);
    if (chosen.list) {
      for (const auto& each : bench::registered().contests) std::cout << each.description.name() << '\n';
      for (const auto& each : bench::registered().measurements) std::cout << each.description.name() << '\n';
    } else if (chosen.serve) {
      serve();
    } else if (!chosen.measure.empty()) {
      measure(chosen);
    } else {
      run(chosen);
    }
  } catch (const std::regex_error& error) {
    std::cerr << "benchmarks: --only= is not a regular expression: " << error.what() << '\n';
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "benchmarks: " << error.what() << '\n';
    return 1;
  }
}
