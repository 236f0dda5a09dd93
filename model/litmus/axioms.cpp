// SPDX-License-Identifier: Apache-2.0
#include "axioms.hpp"

#include <bit>

namespace acqrel::model::litmus {
namespace {

using row = std::uint64_t;

constexpr row bit(unsigned i) { return row{1} << i; }

template <class Each>
void each(row set, const Each& f) {
  for (; set != 0; set &= set - 1) f(static_cast<unsigned>(std::countr_zero(set)));
}

// a then b
void compose(matrix& out, const matrix& a, const matrix& b, unsigned n) {
  for (unsigned i = 0; i < n; ++i) {
    row r = 0;
    each(a[i], [&](unsigned j) { r |= b[j]; });
    out[i] = r;
  }
}

void close(matrix& m, unsigned n) {
  for (unsigned k = 0; k < n; ++k) {
    for (unsigned i = 0; i < n; ++i) {
      if ((m[i] & bit(k)) != 0) m[i] |= m[k];
    }
  }
}

bool irreflexive(const matrix& m, unsigned n) {
  for (unsigned i = 0; i < n; ++i) {
    if ((m[i] & bit(i)) != 0) return false;
  }
  return true;
}

bool acyclic(matrix m, unsigned n) {
  close(m, n);
  return irreflexive(m, n);
}

void zero(matrix& m, unsigned n) {
  for (unsigned i = 0; i < n; ++i) m[i] = 0;
}

/// Sets of events, and the relations that need no closure.
struct frame {
  explicit frame(const sketch& g) : graph(g), n(g.size()) {
    for (matrix* m : {&r.sb, &r.rf, &r.mo, &r.rb, &r.sw, &r.hb}) zero(*m, n);
    std::array<row, 17> later{};
    for (unsigned i = n; i-- > 0;) {
      const node& e = g[i];
      if (e.thread < 0) continue;
      row& mine = later[static_cast<unsigned>(e.thread)];
      r.sb[i] = mine;
      mine |= bit(i);
      if (e.seq_cst()) seq_cst |= bit(i);
      if (e.fence()) fences |= bit(i);
    }
    for (unsigned i = 0; i < n; ++i) {
      if (g[i].from >= 0) r.rf[static_cast<unsigned>(g[i].from)] |= bit(i);
    }
    // The chains begin with the initial writes.
    for (unsigned first = 0; first < n && g[first].thread < 0; ++first) {
      std::array<std::uint8_t, most_events> chain;
      unsigned length = 0;
      for (int w = static_cast<int>(first); w >= 0; w = g.next[static_cast<unsigned>(w)]) {
        chain[length++] = static_cast<std::uint8_t>(w);
      }
      row after = 0;
      while (length-- > 0) {
        r.mo[chain[length]] = after;
        after |= bit(chain[length]);
      }
    }
    for (unsigned i = 0; i < n; ++i) {
      if (g[i].from >= 0) r.rb[i] = r.mo[static_cast<unsigned>(g[i].from)] & ~bit(i);
    }
  }

  // sw = [rel] ; ([F] ; sb)? ; rs ; rf ; [R atomic] ; (sb ; [F])? ; [acq]   rs = [W atomic] ; (rf ; rmw)*
  void synchronise() {
    for (unsigned w = 0; w < n; ++w) {
      const node& e = graph[w];
      if (!e.writes || !e.atomic || e.thread < 0) continue;
      row sources = releases(e.how) ? bit(w) : 0;
      for (unsigned f = 0; f < n; ++f) {
        if ((fences & bit(f)) != 0 && releases(graph[f].how) && (r.sb[f] & bit(w)) != 0) sources |= bit(f);
      }
      if (sources == 0) continue;
      // Who reads from the release sequence. A sequence ends after at most n steps, even if rf makes a ring of it.
      row readers = 0, open = bit(w), sequence = bit(w);
      while (open != 0) {
        const auto head = static_cast<unsigned>(std::countr_zero(open));
        open &= open - 1;
        each(r.rf[head], [&](unsigned reader) {
          const node& x = graph[reader];
          if (!x.atomic) return;
          readers |= bit(reader);
          if (x.writes && (sequence & bit(reader)) == 0) {
            sequence |= bit(reader);
            open |= bit(reader);
          }
        });
      }
      row sinks = 0;
      each(readers, [&](unsigned reader) {
        if (acquires(graph[reader].how)) sinks |= bit(reader);
        each(r.sb[reader] & fences, [&](unsigned f) {
          if (acquires(graph[f].how)) sinks |= bit(f);
        });
      });
      each(sources, [&](unsigned s) { r.sw[s] |= sinks; });
    }
    for (unsigned i = 0; i < n; ++i) {
      r.sw[i] &= ~bit(i);
      r.hb[i] = r.sb[i] | r.sw[i];
    }
    close(r.hb, n);
  }

  bool coherent() {
    if (!irreflexive(r.hb, n)) return false;
    for (unsigned i = 0; i < n; ++i) eco[i] = r.rf[i] | r.mo[i] | r.rb[i];
    close(eco, n);
    for (unsigned i = 0; i < n; ++i) {
      if (graph[i].reads && graph[i].writes && (eco[i] & bit(i)) != 0) return false;
      bool returns = false;
      each(r.hb[i], [&](unsigned j) { returns = returns || (eco[j] & bit(i)) != 0; });
      if (returns) return false;
    }
    return true;
  }

  // [atomics.order]: shb = (sb | [SC];sw;[SC] | sb;hb;sb)+
  // S = [SC];shb;[SC] | ([SC M] | [SC F];hb) ; eco ; ([SC M] | hb;[SC F])
  bool seq_cst_ordered() const {
    if (std::popcount(seq_cst) < 2) return true;
    matrix shb, tail, middle;
    compose(tail, r.hb, r.sb, n);
    compose(middle, r.sb, tail, n);
    for (unsigned i = 0; i < n; ++i) {
      shb[i] = r.sb[i] | middle[i];
      if ((seq_cst & bit(i)) != 0) shb[i] |= r.sw[i] & seq_cst;
    }
    close(shb, n);
    const row accesses = seq_cst & ~fences, barriers = seq_cst & fences;
    matrix s;
    zero(s, n);
    each(seq_cst, [&](unsigned a) {
      row reached = 0;
      if ((accesses & bit(a)) != 0) {
        reached = eco[a];
      } else {
        each(r.hb[a], [&](unsigned b) { reached |= eco[b]; });
      }
      row last = reached & accesses;
      each(reached, [&](unsigned b) { last |= r.hb[b] & barriers; });
      s[a] = last | (shb[a] & seq_cst);
    });
    return acyclic(s, n);
  }

  bool causal() const {
    matrix m;
    for (unsigned i = 0; i < n; ++i) m[i] = r.sb[i] | r.rf[i];
    return acyclic(m, n);
  }

  bool interleaved() const {
    matrix m;
    for (unsigned i = 0; i < n; ++i) m[i] = r.sb[i] | r.rf[i] | r.mo[i] | r.rb[i];
    return acyclic(m, n);
  }

  const sketch& graph;
  unsigned n;
  relations r;
  matrix eco;
  row seq_cst = 0, fences = 0;
};

}  // namespace

bool consistent(const sketch& g, memory_model model) {
  frame f(g);
  if (model == memory_model::sc) return f.interleaved();
  f.synchronise();
  return f.coherent() && (model == memory_model::iso || f.causal()) && f.seq_cst_ordered();
}

relations relate(const sketch& g) {
  frame f(g);
  f.synchronise();
  return f.r;
}

std::optional<arrow> race(const sketch& g, const relations& r) {
  for (unsigned a = 0; a < g.size(); ++a) {
    for (unsigned b = a + 1; b < g.size(); ++b) {
      const node &x = g[a], &y = g[b];
      if (x.thread < 0 || y.thread < 0 || x.thread == y.thread || x.fence() || x.location != y.location) continue;
      if ((!x.writes && !y.writes) || (x.atomic && y.atomic)) continue;
      if ((r.hb[a] & bit(b)) == 0 && (r.hb[b] & bit(a)) == 0) return arrow{a, b};
    }
  }
  return std::nullopt;
}

}  // namespace acqrel::model::litmus
