// The basic family: nineteen shapes, each in thirteen orderings, made from a line of text a shape.
// SPDX-License-Identifier: Apache-2.0
#include "corpus_parts.hpp"

#include <array>

namespace acqrel::model::litmus {

namespace {

struct row {
  const char* name;
  const char* threads;  // "Wx1 Ry | ...": writes with their value, reads
  const char* weak;
  unsigned interleavings;   // executions under SC
  const char* allowed;      // the weak outcome under each of variants(): A or F
  const char* iso_allowed;  // the same by the letter of ISO C++20
  const char* summary;
};

// Variants in the order of variants(): first the seven of the table that herd, GenMC and a prototype agree on, then the
// mixes, whose answers were derived by hand from the axioms.
//                           rlx ra sc f.ra f.ar f.sc ra+f.sc | rel+rlx rlx+acq sc+acq rel+sc sc+rlx rlx+sc
constexpr const char* never = "FFFFFFFFFFFFF";
constexpr const char* only_sc = "AAFAAFFAAAAAA";
constexpr const char* synchronised = "AFFFFFFAAFFAA";
constexpr const char* load_buffering = "AFFFFFFAAFFAA";

constexpr std::array rows{
    row{"SB", "Wx1 Ry | Wy1 Rx", "0:r0=0 /\\ 1:r0=0", 3, only_sc, only_sc,
        "store buffering: set my flag, then look at yours"},
    row{"MP", "Wx1 Wy1 | Ry Rx", "1:r0=1 /\\ 1:r1=0", 3, synchronised, synchronised,
        "message passing: write the data, then the flag; see the flag, then read the data"},
    row{"LB", "Rx Wy1 | Ry Wx1", "0:r0=1 /\\ 1:r0=1", 3, never, load_buffering,
        "load buffering: each thread reads what the other writes later"},
    row{"IRIW", "Wx1 | Wy1 | Rx Ry | Ry Rx", "2:r0=1 /\\ 2:r1=0 /\\ 3:r0=1 /\\ 3:r1=0", 15, "AAFAAFFAAAFAF",
        "AAFAAFFAAAFAF", "independent reads of independent writes: two readers disagree on what came first"},
    row{"WRC", "Wx1 | Rx Wy1 | Ry Rx", "1:r0=1 /\\ 2:r0=1 /\\ 2:r1=0", 7, synchronised, synchronised,
        "write-to-read causality: news passed on by a third thread"},
    row{"ISA2", "Wx1 Wy1 | Ry Wz1 | Rz Rx", "1:r0=1 /\\ 2:r0=1 /\\ 2:r1=0", 7, synchronised, synchronised,
        "message passing through a thread in the middle"},
    row{"2+2W", "Wx1 Wy2 | Wy1 Wx2", "[x]=1 /\\ [y]=1", 3, "AAFAAFFAAFAFA", "AAFAAFFAAFAFA",
        "two threads write both objects, in opposite order: the first writes of both win"},
    row{"R", "Wx1 Wy1 | Wy2 Rx", "[y]=2 /\\ 1:r0=0", 3, only_sc, only_sc,
        "a write that comes last, and a read behind it that sees nothing"},
    row{"S", "Wx2 Wy1 | Ry Wx1", "1:r0=1 /\\ [x]=2", 3, synchronised, synchronised,
        "message passing that ends in a write: the earlier write wins over the later"},
    row{"RWC", "Wx1 | Rx Ry | Wy1 Rx", "1:r0=1 /\\ 1:r1=0 /\\ 2:r0=0", 7, only_sc, only_sc,
        "read-to-write causality: store buffering in which another thread made one of the writes"},
    row{"W+RWC", "Wx1 Wz1 | Rz Ry | Wy1 Rx", "1:r0=1 /\\ 1:r1=0 /\\ 2:r0=0", 7, only_sc, only_sc,
        "RWC with the news of the write passed by a message"},
    row{"Z6", "Wx1 Wy1 | Ry Wz1 | Wz2 Rx", "1:r0=1 /\\ [z]=2 /\\ 2:r0=0", 7, only_sc, only_sc,
        "message passing into a write that is overwritten, and a read behind that (Z6.0)"},
    row{"3.SB", "Wx1 Ry | Wy1 Rz | Wz1 Rx", "0:r0=0 /\\ 1:r0=0 /\\ 2:r0=0", 7, only_sc, only_sc,
        "store buffering in a ring of three"},
    row{"3.LB", "Rx Wy1 | Ry Wz1 | Rz Wx1", "0:r0=1 /\\ 1:r0=1 /\\ 2:r0=1", 7, never, load_buffering,
        "load buffering in a ring of three"},
    row{"CoRR", "Wx1 | Rx Rx", "1:r0=1 /\\ 1:r1=0", 3, never, never,
        "coherence: two reads of one object never go back in time"},
    row{"CoRR2", "Wx1 | Wx2 | Rx Rx | Rx Rx", "2:r0=1 /\\ 2:r1=2 /\\ 3:r0=2 /\\ 3:r1=1", 72, never, never,
        "coherence: two readers agree on the order of two writes to one object"},
    row{"CoWW", "Wx1 Wx2", "[x]=1", 1, never, never, "coherence: of two writes of one thread the second is the later"},
    row{"CoWR", "Wx1 Rx | Wx2", "0:r0=2 /\\ [x]=1", 3, never, never,
        "coherence: after my write I never read one that mine overwrote"},
    row{"CoRW", "Rx Wx1 | Wx2", "0:r0=2 /\\ [x]=2", 3, never, never,
        "coherence: my write comes after the one I read before it"},
};

shape make(const row& r) {
  shape s{r.name, {{}}, r.weak, r.summary};
  for (const char* c = r.threads; *c != '\0'; ++c) {
    if (*c == '|') s.threads.emplace_back();
    if (*c != 'W' && *c != 'R') continue;
    access a{*c == 'W', c[1], 0};
    if (a.write) a.value = c[2] - '0';
    s.threads.back().push_back(a);
  }
  return s;
}

using fences = variant::fences;

const char* name_of(order o) {
  switch (o) {
    case order::relaxed: return "memory_order_relaxed";
    case order::acquire: return "memory_order_acquire";
    case order::release: return "memory_order_release";
    case order::acq_rel: return "memory_order_acq_rel";
    case order::seq_cst: return "memory_order_seq_cst";
  }
  return "";
}

}  // namespace

std::optional<order> fence_between(const access& first, const access& second, const variant& v) {
  switch (v.between) {
    case fences::none: return std::nullopt;
    case fences::acq_rel: return order::acq_rel;
    case fences::seq_cst: return order::seq_cst;
    case fences::fitting: break;
  }
  if (first.write == second.write) return first.write ? order::release : order::acquire;
  return order::acq_rel;
}

std::string text_of_threads(const shape& s, const variant& v) {
  std::string text;
  for (std::size_t t = 0; t < s.threads.size(); ++t) {
    text += "\nP" + std::to_string(t) + "(";
    std::string seen;
    for (const access& a : s.threads[t]) {
      if (seen.find(a.location) != std::string::npos) continue;
      text += std::string(seen.empty() ? "" : ", ") + "atomic_int* " + a.location;
      seen += a.location;
    }
    text += ") {\n";
    unsigned reads = 0;
    const access* before = nullptr;
    for (const access& a : s.threads[t]) {
      if (before != nullptr)
        if (const auto fence = fence_between(*before, a, v))
          text += std::string("  atomic_thread_fence(") + name_of(*fence) + ");\n";
      const std::string object(1, a.location);
      text += a.write
                  ? "  atomic_store_explicit(" + object + ", " + std::to_string(a.value) + ", " + name_of(v.stores)
                  : "  int r" + std::to_string(reads++) + " = atomic_load_explicit(" + object + ", " + name_of(v.loads);
      text += ");\n";
      before = &a;
    }
    text += "}\n";
  }
  return text;
}

const std::vector<shape>& shapes() {
  static const std::vector<shape> all = [] {
    std::vector<shape> made;
    for (const row& r : rows) made.push_back(make(r));
    return made;
  }();
  return all;
}

const std::vector<variant>& variants() {
  using enum order;
  static const std::vector<variant> all{
      {"rlx", relaxed, relaxed, fences::none},        {"ra", release, acquire, fences::none},
      {"sc", seq_cst, seq_cst, fences::none},         {"f.ra", relaxed, relaxed, fences::fitting},
      {"f.ar", relaxed, relaxed, fences::acq_rel},    {"f.sc", relaxed, relaxed, fences::seq_cst},
      {"ra+f.sc", release, acquire, fences::seq_cst}, {"rel+rlx", release, relaxed, fences::none},
      {"rlx+acq", relaxed, acquire, fences::none},    {"sc+acq", seq_cst, acquire, fences::none},
      {"rel+sc", release, seq_cst, fences::none},     {"sc+rlx", seq_cst, relaxed, fences::none},
      {"rlx+sc", relaxed, seq_cst, fences::none},
  };
  return all;
}

void add_shapes(std::vector<entry>& to) {
  for (std::size_t s = 0; s < rows.size(); ++s) {
    const row& r = rows[s];
    for (std::size_t v = 0; v < variants().size(); ++v) {
      // Where the weak outcome is allowed it adds one execution to the interleavings': each shape is minimal.
      const auto expect = [&](memory_model model, bool allowed) {
        return expectation{model, allowed ? observation::sometimes : observation::never,
                           r.interleavings + (allowed ? 1u : 0u), false};
      };
      const std::string head = "C " + (r.name + ("+" + variants()[v].name)) + "\n(* " + r.summary + " *)\n{}\n";
      to.push_back({r.name + ("+" + variants()[v].name),
                    r.name,
                    r.summary,
                    head + text_of_threads(shapes()[s], variants()[v]) + "\nexists (" + r.weak + ")\n",
                    {expect(memory_model::cxx20, r.allowed[v] == 'A'),
                     expect(memory_model::iso, r.iso_allowed[v] == 'A'), expect(memory_model::sc, false)},
                    {}});
    }
  }
}

}  // namespace acqrel::model::litmus
