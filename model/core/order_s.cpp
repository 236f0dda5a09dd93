// The order S ([atomics.order]/3-4), as a search for a cycle among the seq_cst operations and fences of an execution.
//
//   S = [SC];shb;[SC]  |  ([SC access] | [SC fence];hb) ; eco ; ([SC access] | hb;[SC fence])
//
// A read-modify-write is one operation. The light side of an asymmetric fence is ordered against heavy sides alone.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "graph.hpp"

namespace acqrel::model {
namespace {

struct node {
  event_id first, last;  // of a read-modify-write: its read and its write
  kind what;
  bool is_fence() const { return what == kind::fence || what == kind::heavy || what == kind::light; }
};

using word = std::uint64_t;

// n rows of n bits, kept between calls.
struct relation {
  std::size_t words = 0;
  std::vector<word> bits;

  void reset(std::size_t n) {
    words = (n + 63) / 64;
    bits.assign(n * words, 0);
  }
  word* row(std::size_t i) { return bits.data() + i * words; }
};

void set(word* row, std::size_t i) { row[i / 64] |= word{1} << (i % 64); }

bool acyclic(relation& after, std::size_t n) {
  std::vector<word> left(after.words, 0);
  for (std::size_t i = 0; i < n; ++i) set(left.data(), i);
  for (std::size_t remaining = n; remaining > 0;) {
    const std::size_t before = remaining;
    for (std::size_t i = 0; i < n; ++i) {
      if ((left[i / 64] >> (i % 64) & 1) == 0) continue;
      const word* const row = after.row(i);
      bool last = true;
      for (std::size_t w = 0; w < after.words && last; ++w) last = (row[w] & left[w]) == 0;
      if (last) {
        left[i / 64] &= ~(word{1} << (i % 64));
        --remaining;
      }
    }
    if (remaining == before) return false;
  }
  return true;
}

}  // namespace

bool graph::sequenced() const {
  // The checker runs on one kernel thread; these keep their storage.
  static std::vector<node> nodes;
  static relation after;
  nodes.clear();
  bool heavy = false, access = false;
  unsigned begin[max_threads + 1] = {};
  const unsigned n_threads = threads();
  for (unsigned t = 0; t < n_threads; ++t) {
    begin[t] = static_cast<unsigned>(nodes.size());
    for (unsigned i = 0; i < events_[t].size(); ++i) {
      const event& e = events_[t][i];
      const bool memory = e.what == kind::read || e.what == kind::write;
      if (e.what != kind::light && e.what != kind::heavy &&
          ((!memory && e.what != kind::fence) || e.how != order::seq_cst))
        continue;
      const event_id id{static_cast<std::uint8_t>(t), static_cast<std::uint8_t>(i)};
      event_id last = id;
      if (e.what == kind::read && e.exclusive && i + 1 < events_[t].size()) last.index = static_cast<std::uint8_t>(++i);
      heavy = heavy || e.what == kind::heavy;
      access = access || memory;
      nodes.push_back({id, last, e.what});
    }
  }
  for (unsigned t = n_threads; t <= max_threads; ++t) begin[t] = static_cast<unsigned>(nodes.size());
  const std::size_t n = nodes.size();
  if (n < 2) return true;

  after.reset(n);
  static std::vector<word> light_mask, heavy_mask, sources, targets, all;
  for (auto* mask : {&light_mask, &heavy_mask, &all}) mask->assign(after.words, 0);
  for (std::size_t i = 0; i < n; ++i) {
    set(all.data(), i);
    if (nodes[i].what == kind::light) set(light_mask.data(), i);
    if (nodes[i].what == kind::heavy) set(heavy_mask.data(), i);
  }

  // Strongly happens before.
  for (std::size_t b = 0; b < n; ++b) {
    const node& to = nodes[b];
    const clock& known = at(to.last).strong;
    for (unsigned t = 0; t < n_threads; ++t) {
      const unsigned limit = t == to.first.thread ? to.first.index : known[t];
      bool near = true;
      for (unsigned a = begin[t + 1]; a-- > begin[t];) {
        if (nodes[a].last.index >= limit) continue;
        const bool light = nodes[a].what == kind::light || to.what == kind::light;
        if (light) {
          if (nodes[a].what == kind::heavy || to.what == kind::heavy) set(after.row(a), b);
        } else if (near) {
          set(after.row(a), b);  // those before it come before it too
          near = false;
        }
        if (!near && !heavy) break;
      }
    }
  }

  // Coherence: an access comes before another exactly if its key is less (an access of the write at place p has key 2p,
  // a read of it 2p + 1).
  static std::vector<std::pair<unsigned, event_id>> accesses;
  for (const object& o : objects_) {
    accesses.clear();
    for (unsigned p = 0; p < o.writes.size(); ++p) accesses.emplace_back(2 * (p + 1), o.writes[p]);
    for (const event_id r : o.reads) accesses.emplace_back(2 * place(at(r).from, o) + 1, r);
    if (accesses.size() < 2) continue;
    std::sort(accesses.begin(), accesses.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

    sources.assign(after.words, 0);
    for (std::size_t from = 0; from < accesses.size();) {
      std::size_t to = from;
      targets.assign(after.words, 0);
      for (; to < accesses.size() && accesses[to].first == accesses[from].first; ++to) {
        const event_id y = accesses[to].second;
        for (std::size_t i = 0; i < n; ++i) {
          const node& f = nodes[i];
          if (f.first == y || f.last == y || (f.is_fence() && at(f.last).hb.covers(y))) set(targets.data(), i);
        }
      }
      for (std::size_t i = 0; i < n; ++i) {
        if ((sources[i / 64] >> (i % 64) & 1) == 0) continue;
        word* const row = after.row(i);
        const std::vector<word>& allowed = nodes[i].what == kind::light ? heavy_mask : all;
        const bool spare_light = nodes[i].what != kind::light && nodes[i].what != kind::heavy;
        for (std::size_t w = 0; w < after.words; ++w) {
          row[w] |= targets[w] & allowed[w] & (spare_light ? ~light_mask[w] : ~word{0});
        }
        row[i / 64] &= ~(word{1} << (i % 64));  // the two parts of a read-modify-write
      }
      for (; from < to; ++from) {
        const event_id x = accesses[from].second;
        for (std::size_t i = 0; i < n; ++i) {
          const node& f = nodes[i];
          if (f.first == x || f.last == x || (f.is_fence() && at(x).hb.covers(f.last))) set(sources.data(), i);
        }
      }
    }
  }
  return acyclic(after, n);
}

}  // namespace acqrel::model
