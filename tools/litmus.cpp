// SPDX-License-Identifier: Apache-2.0
#include "litmus.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "litmus_options.hpp"
#include "litmus_output.hpp"
#include "model/litmus/corpus.hpp"
#include "model/litmus/explain.hpp"
#include "model/litmus/parse.hpp"

namespace acqrel::tools {
namespace {

using namespace model::litmus;

/// A test to run: its text, or why there is none.
struct input {
  std::string file;
  std::string text;
  std::string error;
  bool one_of_many = false;  ///< of a family: a line will do
};

std::string everything(std::istream& in) {
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

input read_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return {file, {}, file + ": can not be opened", false};
  std::string text = everything(in);
  if (in.bad()) return {file, {}, file + ": can not be read", false};
  return {file, std::move(text), {}, false};
}

void add_directory(const std::string& directory, std::vector<input>& to) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator i(directory, error), end; !error && i != end; i.increment(error)) {
    if (i->is_regular_file(error) && i->path().extension() == ".litmus") files.push_back(i->path().string());
  }
  if (error) {
    to.push_back({directory, {}, directory + ": " + error.message(), false});
    return;
  }
  if (files.empty()) to.push_back({directory, {}, directory + ": there is no file *.litmus in this directory", false});
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) to.push_back(read_file(file));
}

std::vector<input> gather(const std::vector<std::string>& names) {
  std::vector<input> all;
  for (const std::string& name : names) {
    if (name == "-") {
      all.push_back({"standard input", everything(std::cin), {}, false});
      continue;
    }
    std::error_code error;
    if (std::filesystem::is_directory(name, error)) {
      add_directory(name, all);
    } else if (std::filesystem::exists(name, error)) {
      all.push_back(read_file(name));
    } else if (const std::vector<const entry*> found = matching(name); !found.empty()) {
      for (const entry* e : found) all.push_back({e->name, e->text, {}, found.size() > 1});
    } else {
      all.push_back(
          {name, {}, name + ": there is no such file, and no built-in test of that name (--list has them)", false});
    }
  }
  return all;
}

test_result run_one(const input& in, const litmus_options& o) {
  test_result r;
  r.file = r.name = in.file;
  r.error = in.error;
  if (!r.error.empty()) return r;
  try {
    r.program = parse(in.text, in.file, {o.unroll});
    r.name = r.program.name;
    r.answer = run(r.program, o.model, o.most_executions);
    if (o.model == memory_model::cxx20) {
      std::optional<answer> letter = run_to_the_letter(r.program, r.answer);
      if (letter && letter->seen() != r.answer.seen()) r.letter = std::move(letter);
    }
  } catch (const std::exception& e) {
    r.error = e.what();
  }
  return r;
}

void list() {
  for (const std::string& family : families()) {
    std::string line;
    for (const entry& e : corpus()) {
      if (e.family != family) continue;
      line += " " + e.name;
    }
    std::cout << family << ": " << about_family(family) << "\n ";
    // Names in lines of at most 100 columns.
    std::size_t width = 1;
    for (std::size_t at = 0; at < line.size();) {
      const std::size_t end = std::min(line.find(' ', at + 1), line.size());
      if (width + (end - at) > 100) {
        std::cout << "\n ";
        width = 1;
      }
      std::cout << line.substr(at, end - at);
      width += end - at;
      at = end;
    }
    std::cout << "\n";
  }
}

int print_all(const std::vector<input>& inputs) {
  int status = 0;
  for (const input& in : inputs) {
    if (!in.error.empty()) {
      std::cerr << "acqrel litmus: " << in.error << "\n";
      status = 2;
    }
    std::cout << in.text;
  }
  return status;
}

int run_all(const litmus_options& o) {
  const std::vector<input> inputs = gather(o.inputs);
  if (o.print) return print_all(inputs);
  const bool picture = o.show == litmus_options::picture::svg;
  if (picture && inputs.size() != 1) {
    throw usage_error("--show svg takes one test, and these are " + std::to_string(inputs.size()) +
                      (inputs.empty() || !inputs[0].one_of_many ? "" : "; name one, such as " + inputs[0].file));
  }
  int status = 0;
  if (o.json) std::cout << "[";
  bool first = true;
  for (const input& in : inputs) {
    const test_result r = run_one(in, o);
    if (!r.error.empty()) status = 2;
    if (o.check && status == 0 && !r.answer.ok(r.program.final)) status = 1;
    for (const std::string& note : r.program.notes) std::cerr << note << "\n";
    if (o.json) {
      if (!r.error.empty()) std::cerr << "acqrel litmus: " << r.error << "\n";
      std::cout << (first ? "\n  " : ",\n  ") << as_json(r, o);
    } else if (!r.error.empty()) {
      std::cerr << "acqrel litmus: " << r.error << "\n";
      continue;
    } else if (picture) {
      const std::string svg = as_picture(r, o);
      if (svg.empty()) {
        std::cerr << "acqrel litmus: no execution of " << r.name
                  << " has the outcome asked about, and none has a race\n";
        return 2;
      }
      std::cout << svg;
    } else if (in.one_of_many && o.show == litmus_options::picture::none) {
      std::cout << as_line(r);
    } else {
      std::cout << (first ? "" : "\n") << as_text(r, o);
      if (o.show == litmus_options::picture::text) std::cout << "\n" << as_picture(r, o);
    }
    first = false;
  }
  if (o.json) std::cout << (first ? "]\n" : "\n]\n");
  std::cout.flush();
  return status;
}

}  // namespace

int litmus(const std::vector<std::string>& arguments) {
  try {
    const litmus_options o = parse_litmus_options(arguments);
    if (o.help) {
      std::cout << litmus_help;
      return 0;
    }
    if (o.list) list();
    if (!o.explain.empty()) std::cout << explain(o.explain);
    if (o.inputs.empty()) {
      if (o.list || !o.explain.empty()) return 0;
      std::cerr << litmus_help;
      return 2;
    }
    return run_all(o);
  } catch (const std::exception& e) {
    std::cerr << "acqrel litmus: " << e.what() << "\n";
    return 2;
  }
}

}  // namespace acqrel::tools
