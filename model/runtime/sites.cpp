// Resolving call sites with libbacktrace, keeping the answers, and weakening.
// SPDX-License-Identifier: Apache-2.0
#include "sites.hpp"

#include <backtrace.h>
#include <cxxabi.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <memory>

namespace acqrel::model {
namespace {

// ---- from an address to a place in the source

bool in_standard_library(std::string_view file) {
  const std::size_t folder = file.find("/c++/");
  return folder != std::string_view::npos && file.substr(0, folder).find("/include") != std::string_view::npos &&
         (file.substr(folder).starts_with("/c++/v1/") ||
          std::isdigit(static_cast<unsigned char>(file[std::min(folder + 5, file.size() - 1)])) != 0);
}

// Runs from the innermost inlined function outwards, until a frame is not the standard library's. If all are, the
// outermost stays.
int take_frame(void* to, std::uintptr_t, const char* file, int line, const char* function) {
  site& found = *static_cast<site*>(to);
  if (file == nullptr) return 0;
  found.file = file;
  found.line = line;
  found.function = function != nullptr ? function : "";
  return in_standard_library(file) ? 0 : 1;
}

// What cannot be resolved stays an address, which says so by itself.
void no_frame(void*, const char*, int) {}

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status),
                                                    std::free);
  return text ? text.get() : name;
}

struct source_file {
  std::string path;
  bool read = false;
  std::vector<std::string> lines;
};

const source_file& source_of(const std::string& path) {
  static constinit std::vector<std::unique_ptr<source_file>> files;
  for (const auto& file : files) {
    if (file->path == path) return *file;
  }
  auto file = std::make_unique<source_file>();
  file->path = path;
  std::ifstream in(path);
  file->read = in.is_open();
  for (std::string line; std::getline(in, line);) file->lines.push_back(line);
  files.push_back(std::move(file));
  return *files.back();
}

site resolve(const void* return_address) {
  static constinit backtrace_state* debug_information = nullptr;
  if (debug_information == nullptr) debug_information = backtrace_create_state(nullptr, 0, no_frame, nullptr);
  site found;
  found.address = return_address;
  // The call ends just before the address it returns to, which may be another line's.
  backtrace_pcinfo(debug_information, reinterpret_cast<std::uintptr_t>(return_address) - 1, take_frame, no_frame,
                   &found);
  if (found.function.empty()) {
    Dl_info symbol;
    if (dladdr(return_address, &symbol) != 0 && symbol.dli_sname != nullptr) found.function = symbol.dli_sname;
  }
  found.function = demangled(found.function);
  if (found.line > 0) {
    const std::vector<std::string>& lines = source_of(found.file).lines;
    if (const auto index = static_cast<std::size_t>(found.line - 1); index < lines.size()) {
      const std::size_t text = lines[index].find_first_not_of(" \t");
      if (text != std::string::npos) found.text = lines[index].substr(text);
      found.edges = tags_at(lines, found.line);
    }
  }
  return found;
}

// ---- weakening

// An order as the set of what it does.
constexpr unsigned acquiring = 1, releasing = 2, in_total_order = 4;

constexpr unsigned parts_of(order o) {
  switch (o) {
    case order::acquire: return acquiring;
    case order::release: return releasing;
    case order::acq_rel: return acquiring | releasing;
    case order::seq_cst: return acquiring | releasing | in_total_order;
    default: return 0;
  }
}

constexpr order order_of(unsigned parts) {
  constexpr order all[] = {order::relaxed, order::acquire, order::release, order::acq_rel};
  return parts == parts_of(order::seq_cst) ? order::seq_cst : all[parts & (acquiring | releasing)];
}

constexpr std::size_t orders = 5;

/// What is known of an address.
struct record {
  site where;
  bool resolved = false;
  bool in_library = false;
  bool met = false;
  bool weakened = false;
  unsigned weakening = 0;  // the number of the weakening that the answers are for; 0: none
  std::array<order, orders> success;
  std::array<order, orders> failure;
};

struct slot {
  const void* address = nullptr;
  record* known = nullptr;
};

// One kernel thread runs the checked program and the checker: nothing here is shared.
constinit std::vector<slot> slots;  // open addressing; a power of two, at most half full
constinit std::size_t used = 0;
constinit std::deque<record>* records = nullptr;
constinit std::vector<record*> met;
constinit std::vector<std::string> weak_edges;
constinit unsigned weakenings = 0;

slot& slot_of(const void* address) {
  const std::size_t mask = slots.size() - 1;
  std::size_t at = (reinterpret_cast<std::uintptr_t>(address) * 0x9e3779b97f4a7c15u) >> 32;
  while (slots[at & mask].address != nullptr && slots[at & mask].address != address) ++at;
  return slots[at & mask];
}

record& added(const void* address) {
  if (records == nullptr) records = new std::deque<record>;
  if (2 * (used + 1) > slots.size()) {
    const std::vector<slot> before = std::move(slots);
    slots.assign(std::max<std::size_t>(256, 2 * before.size()), slot{});
    for (const slot& old : before) {
      if (old.address != nullptr) slot_of(old.address) = old;
    }
  }
  ++used;
  records->emplace_back().where.address = address;
  slot_of(address) = {address, &records->back()};
  return records->back();
}

record& record_of(const void* address) {
  if (!slots.empty()) {
    if (record* known = slot_of(address).known) [[likely]]
      return *known;
  }
  return added(address);
}

const site& resolved(record& known) {
  if (!known.resolved) {
    known.where = resolve(known.where.address);
    known.in_library = in_standard_library(known.where.file);
    known.resolved = true;
  }
  return known.where;
}

bool is_weak(const edge_tag& tag) {
  return std::find(weak_edges.begin(), weak_edges.end(), tag.name) != weak_edges.end();
}

[[gnu::cold, gnu::noinline]] void answer(record& known) {
  unsigned taken[2] = {}, kept[2] = {};
  known.weakened = false;
  for (const edge_tag& tag : resolved(known).edges) {
    const bool weak = is_weak(tag);
    known.weakened |= weak;
    (weak ? taken : kept)[0] |= parts_of(tag.success);
    (weak ? taken : kept)[1] |= parts_of(tag.failure);
  }
  for (std::size_t written = 0; written < orders; ++written) {
    const unsigned all = parts_of(static_cast<order>(written));
    known.success[written] = order_of(all & ~(taken[0] & ~kept[0]));
    known.failure[written] = order_of(all & ~(taken[1] & ~kept[1]));
  }
  known.weakening = weakenings;
}

/// Of an operation that is being made.
record& meet(const void* address) {
  record& known = record_of(address);
  if (!known.met) {
    known.met = true;
    met.push_back(&known);
  }
  if (!weak_edges.empty() && known.weakening != weakenings) answer(known);
  return known;
}

}  // namespace

std::string site::brief() const {
  if (line > 0) return file.substr(file.rfind('/') + 1) + ':' + std::to_string(line);
  if (!function.empty()) return function;
  char number[32];
  std::snprintf(number, sizeof number, "%p", address);
  return number;
}

const site& site_of(const void* return_address) { return resolved(record_of(return_address)); }

bool in_library_function(const void* return_address) {
  record& known = record_of(return_address);
  resolved(known);
  return known.in_library;
}

void weaken(const std::vector<std::string>& edges) {
  weak_edges = edges;
  ++weakenings;
}

order effective(const void* return_address, order written) {
  const record& known = meet(return_address);
  return weak_edges.empty() ? written : known.success[static_cast<std::size_t>(written)];
}

order effective_on_failure(const void* return_address, order written) {
  const record& known = meet(return_address);
  return weak_edges.empty() ? written : known.failure[static_cast<std::size_t>(written)];
}

bool weakened(const void* return_address) {
  const record& known = meet(return_address);
  return !weak_edges.empty() && known.weakened;
}

std::vector<std::string> edges_met() {
  std::vector<std::string> names;
  for (record* known : met) {
    for (const edge_tag& tag : resolved(*known).edges) {
      if (std::find(names.begin(), names.end(), tag.name) == names.end()) names.push_back(tag.name);
    }
  }
  return names;
}

void forget_edges() {
  for (record* known : met) known->met = false;
  met.clear();
}

std::vector<std::string> unread_sources() {
  std::vector<std::string> files;
  for (record* known : met) {
    const site& where = resolved(*known);
    if (where.line > 0 && !source_of(where.file).read &&
        std::find(files.begin(), files.end(), where.file) == files.end())
      files.push_back(where.file);
  }
  return files;
}

}  // namespace acqrel::model
