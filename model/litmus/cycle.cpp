// SPDX-License-Identifier: Apache-2.0
#include "cycle.hpp"

#include <algorithm>
#include <deque>
#include <functional>

#include "corpus_parts.hpp"
#include "parse.hpp"

namespace acqrel::model::litmus {

namespace {

/// A relation between the events of a small execution.
class matrix {
 public:
  explicit matrix(std::size_t n) : n_(n), cells_(n * n, false) {}
  bool has(std::size_t a, std::size_t b) const { return cells_[a * n_ + b]; }
  void add(std::size_t a, std::size_t b) { cells_[a * n_ + b] = true; }
  std::size_t size() const { return n_; }

  matrix operator|(const matrix& other) const {
    matrix m = *this;
    for (std::size_t i = 0; i < cells_.size(); ++i) m.cells_[i] = m.cells_[i] || other.cells_[i];
    return m;
  }
  /// First this, then the other.
  matrix operator*(const matrix& other) const {
    matrix m(n_);
    for (std::size_t a = 0; a < n_; ++a)
      for (std::size_t b = 0; b < n_; ++b)
        for (std::size_t c = 0; c < n_ && has(a, b); ++c)
          if (other.has(b, c)) m.add(a, c);
    return m;
  }
  matrix closed() const {
    matrix m = *this;
    for (std::size_t k = 0; k < n_; ++k)
      for (std::size_t a = 0; a < n_; ++a)
        for (std::size_t b = 0; b < n_ && m.has(a, k); ++b)
          if (m.has(k, b)) m.add(a, b);
    return m;
  }
  matrix only(const std::function<bool(std::size_t, std::size_t)>& keep) const {
    matrix m(n_);
    for (std::size_t a = 0; a < n_; ++a)
      for (std::size_t b = 0; b < n_; ++b)
        if (has(a, b) && keep(a, b)) m.add(a, b);
    return m;
  }

 private:
  std::size_t n_;
  std::vector<bool> cells_;
};

using edges = std::vector<step>;

/// The shortest way from one event to another, over at least one edge.
std::optional<edges> way(const edges& over, unsigned from, unsigned to) {
  std::deque<edges> open;
  std::vector<unsigned> seen;
  for (const step& s : over)
    if (s.from == from) open.push_back({s});
  while (!open.empty()) {
    const edges now = open.front();
    open.pop_front();
    const unsigned here = now.back().to;
    if (here == to) return now;
    if (std::find(seen.begin(), seen.end(), here) != seen.end()) continue;
    seen.push_back(here);
    for (const step& s : over) {
      if (s.from != here) continue;
      open.push_back(now);
      open.back().push_back(s);
    }
  }
  return std::nullopt;
}

edges shortest_circle(const edges& over, std::size_t events) {
  edges best;
  for (unsigned e = 0; e < events; ++e)
    if (const auto found = way(over, e, e); found && (best.empty() || found->size() < best.size())) best = *found;
  return best;
}

/// All basic relations of an execution. Initial writes are left out: everything comes after them.
struct relations {
  explicit relations(const execution& x) : events(x.events) {
    const unsigned n = static_cast<unsigned>(events.size());
    for (unsigned a = 0; a < n; ++a)
      for (unsigned b = a + 1; b < n; ++b)
        if (events[a].thread >= 0 && events[a].thread == events[b].thread) sb.push_back({a, b, "sb"});
    std::vector<int> source(n, -1), next(n, -1);
    for (const arrow& a : x.mo) next[a.first] = static_cast<int>(a.second);
    for (const arrow& a : x.rf) source[a.second] = static_cast<int>(a.first);
    for (unsigned a = 0; a < n; ++a) {
      for (int w = next[a]; w >= 0 && events[a].thread >= 0; w = next[static_cast<unsigned>(w)])
        eco.push_back({a, static_cast<unsigned>(w), "mo"});
      if (source[a] < 0) continue;
      const auto write = static_cast<unsigned>(source[a]);
      for (int w = next[write]; w >= 0; w = next[static_cast<unsigned>(w)])
        eco.push_back({a, static_cast<unsigned>(w), "rb"});
      if (events[write].thread < 0) continue;
      eco.push_back({write, a, "rf"});
      rf.push_back({write, a, "rf"});
      for (const unsigned rel : ends(write, false))
        for (const unsigned acq : ends(a, true)) sw.push_back({rel, acq, "sw"});
    }
  }

  /// Who synchronises by a store (or, for reads, a load): itself, and the fences before it (after it) in its thread.
  std::vector<unsigned> ends(unsigned access, bool read) const {
    const auto fits = [&](const event& e) { return read ? acquires(e.how) : releases(e.how); };
    std::vector<unsigned> found;
    for (unsigned e = 0; e < events.size(); ++e) {
      if (events[e].thread != events[access].thread || !fits(events[e])) continue;
      if (e == access || (events[e].what == action::fence && (read ? e > access : e < access))) found.push_back(e);
    }
    return found;
  }

  matrix of(const edges& list) const {
    matrix m(events.size());
    for (const step& s : list) m.add(s.from, s.to);
    return m;
  }

  std::vector<event> events;
  edges sb, rf, eco, sw;
};

edges joined(edges a, const edges& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// The order S has to contain these; each with the way that shows it.
struct total_order {
  explicit total_order(const relations& r) {
    const auto n = r.events.size();
    const auto sc = [&](std::size_t e) { return r.events[e].thread >= 0 && r.events[e].how == order::seq_cst; };
    const auto fence = [&](std::size_t e) { return r.events[e].what == action::fence; };
    const matrix sb = r.of(r.sb), sw = r.of(r.sw), hb = (sb | sw).closed(), eco = r.of(r.eco).closed();
    const matrix strong =
        (sb | sw.only([&](std::size_t a, std::size_t b) { return sc(a) && sc(b); }) | sb * hb * sb).closed();
    const edges happens = joined(r.sb, r.sw);
    for (unsigned a = 0; a < n; ++a)
      for (unsigned b = 0; b < n; ++b) {
        if (!sc(a) || !sc(b)) continue;
        std::optional<edges> shown;
        const auto offer = [&](std::optional<edges> e) {
          if (e && (!shown || e->size() < shown->size())) shown = std::move(e);
        };
        if (strong.has(a, b)) offer(way(happens, a, b));
        for (unsigned p = 0; p < n; ++p)
          for (unsigned q = 0; q < n; ++q) {
            const bool begins = a == p ? !fence(a) : fence(a) && hb.has(a, p);
            const bool ends = b == q ? !fence(b) : fence(b) && hb.has(q, b);
            if (!begins || !ends || !eco.has(p, q)) continue;
            edges whole = a == p ? edges{} : *way(happens, a, p);
            whole = joined(whole, *way(r.eco, p, q));
            offer(b == q ? whole : joined(whole, *way(happens, q, b)));
          }
        if (shown) {
          steps.push_back({a, b, "S"});
          ways.push_back(*shown);
        }
      }
  }

  edges steps;
  std::vector<edges> ways;
};

}  // namespace

bool synchronises(const execution& x, unsigned write, unsigned read) {
  const relations r(x);
  return !r.ends(write, false).empty() && !r.ends(read, true).empty();
}

std::vector<step> critical_circle(const execution& x) {
  const relations r(x);
  return shortest_circle(joined(r.sb, r.eco), x.events.size());
}

verdict judge(const execution& x, memory_model model) {
  const relations r(x);
  const std::size_t n = x.events.size();
  const edges happens = joined(r.sb, r.sw);
  if (model == memory_model::sc) {
    edges circle = critical_circle(x);
    return {circle.empty() ? axiom::none : axiom::total, std::move(circle), 0};
  }
  if (edges circle = shortest_circle(happens, n); !circle.empty()) return {axiom::happens, std::move(circle), 0};
  verdict best;
  for (unsigned a = 0; a < n; ++a)
    for (unsigned b = 0; b < n; ++b) {
      const auto there = way(happens, a, b), back = way(r.eco, b, a);
      if (!there || !back) continue;
      if (best.circle.empty() || there->size() + back->size() < best.circle.size())
        best = {axiom::coherence, joined(*there, *back), there->size()};
    }
  if (best.broken != axiom::none) return best;
  const total_order s(r);
  if (const edges circle = shortest_circle(s.steps, n); !circle.empty()) {
    verdict v{axiom::total, {}, 0};
    for (const step& t : circle)
      for (std::size_t i = 0; i < s.steps.size(); ++i)
        if (s.steps[i].from == t.from && s.steps[i].to == t.to) v.circle = joined(v.circle, s.ways[i]);
    return v;
  }
  if (model == memory_model::cxx20)
    if (edges circle = shortest_circle(joined(r.sb, r.rf), n); !circle.empty())
      return {axiom::porf, std::move(circle), 0};
  return {};
}

std::vector<execution> candidates(const shape& s, const variant& v) {
  const program p = parse("C " + s.name + "\n{}\n" + text_of_threads(s, v) + "exists (" + s.weak + ")\n");
  execution x;
  for (std::size_t l = 0; l < p.locations.size(); ++l) {
    event initial;
    initial.location = static_cast<int>(l);
    x.events.push_back(initial);
  }
  const auto location = [&](char name) {
    for (std::size_t l = 0; l < p.locations.size(); ++l)
      if (p.locations[l].name == std::string(1, name)) return static_cast<int>(l);
    return -1;
  };
  std::vector<std::vector<unsigned>> writes(p.locations.size());
  std::vector<unsigned> reads;
  std::vector<operand_name> registers;
  for (unsigned t = 0; t < s.threads.size(); ++t) {
    unsigned loads = 0;
    for (std::size_t i = 0; i < s.threads[t].size(); ++i) {
      const access& a = s.threads[t][i];
      event e;
      e.thread = static_cast<int>(t);
      if (i > 0)
        if (const auto fence = fence_between(s.threads[t][i - 1], a, v)) {
          e.what = action::fence;
          e.how = *fence;
          x.events.push_back(e);
        }
      e.what = a.write ? action::write : action::read;
      e.how = a.write ? v.stores : v.loads;
      e.location = location(a.location);
      e.value = a.value;
      const auto index = static_cast<unsigned>(x.events.size());
      if (a.write)
        writes[static_cast<unsigned>(e.location)].push_back(index);
      else
        reads.push_back(index), registers.push_back({static_cast<int>(t), loads++});
      x.events.push_back(e);
    }
  }

  std::vector<execution> found;
  const auto with_orders = [&] {  // rf and the order of writes are chosen: keep it if the outcome is the weak one
    x.mo.clear();
    x.memory.assign(p.locations.size(), 0);
    for (unsigned l = 0; l < writes.size(); ++l) {
      unsigned before = l;
      for (const unsigned w : writes[l]) {
        x.mo.emplace_back(before, w);
        x.memory[l] = x.events[before = w].value;
      }
    }
    x.registers.assign(p.threads.size(), {});
    for (std::size_t t = 0; t < p.threads.size(); ++t) x.registers[t].assign(p.threads[t].registers.size(), 0);
    for (std::size_t i = 0; i < reads.size(); ++i) {
      const operand_name n = registers[i];
      const std::string name = "r" + std::to_string(n.index);
      const auto& names = p.threads[static_cast<unsigned>(n.thread)].registers;
      const auto at = std::find(names.begin(), names.end(), name) - names.begin();
      x.registers[static_cast<unsigned>(n.thread)][static_cast<unsigned>(at)] = x.events[reads[i]].value;
    }
    if (!holds(p.final.holds, [&](operand_name n) { return x.value(n); })) return;
    execution kept = x;
    const relations r(kept);
    for (const step& e : r.sw) kept.sw.emplace_back(e.from, e.to);
    for (const arrow& f : kept.rf)
      for (const arrow& m : kept.mo)
        if (m.first == f.first) kept.rb.emplace_back(f.second, m.second);
    found.push_back(std::move(kept));
  };
  const std::function<void(std::size_t)> read_from = [&](std::size_t i) {
    if (i == reads.size()) return with_orders();
    const auto l = static_cast<unsigned>(x.events[reads[i]].location);
    const auto choose = [&](unsigned w) {
      x.rf.emplace_back(w, reads[i]);
      x.events[reads[i]].value = x.events[w].value;
      read_from(i + 1);
      x.rf.pop_back();
    };
    choose(l);
    for (const unsigned w : writes[l]) choose(w);
  };
  const std::function<void(std::size_t)> arrange = [&](std::size_t l) {
    if (l == writes.size()) return read_from(0);
    std::sort(writes[l].begin(), writes[l].end());
    do arrange(l + 1);
    while (std::next_permutation(writes[l].begin(), writes[l].end()));
  };
  arrange(0);
  return found;
}

}  // namespace acqrel::model::litmus
