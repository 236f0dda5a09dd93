// The order S ([atomics.order]/3-4), as a search for a cycle among the seq_cst operations and fences of an execution.
//
//   S = [SC];shb;[SC]  |  ([SC access] | [SC fence];hb) ; eco ; ([SC access] | hb;[SC fence])
//
// A read-modify-write is one operation. The light side of an asymmetric fence is ordered against heavy sides alone.
//
// Without the newest access there was no cycle, so one goes by a step of S that is due to that access: into a later access
// of the same object, from the access itself or from a fence that it knows. The search starts where these steps lead, and
// asks whether it comes to where they begin. Nothing follows the newest access in its thread, so most searches are short.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "graph.hpp"

namespace acqrel::model {
namespace {

// Where a step may lead: a light fence's to heavy ones, an access's or an ordinary fence's to all but light ones, a heavy
// fence's to all. By where it begins:
enum class from : std::uint8_t { light, ordinary, heavy };

bool is_access(const event& e) { return e.what == kind::read || e.what == kind::write; }

from class_of(const event& e) {
  return e.what == kind::light ? from::light : e.what == kind::heavy ? from::heavy : from::ordinary;
}

bool may_lead(from source, const event& to) {
  switch (source) {
    case from::light: return to.what == kind::heavy;
    case from::ordinary: return to.what != kind::light;
    case from::heavy: break;
  }
  return true;
}

}  // namespace

// The nodes of a thread are numbered in program order, which S keeps: what is reached is all from some node on. (Light
// fences, among which it does not, are reached apart; the later ones lead nowhere that the first does not.)
class graph::search {
 public:
  search(const graph& g, unsigned threads, bool fences) : g_(g), threads_(threads), fences_(fences) {
    for (unsigned t = 0; t < threads; ++t) {
      ordered_[t] = light_[t] = followed_[t] = light_followed_[t] = static_cast<unsigned>(g.in_s_[t].size());
    }
    for (auto& keys : done_) keys.assign(g.objects_.size(), ~0u);
  }

  /// Coherence: an access comes before another exactly if its key is less.
  unsigned key(event_id access, const object& o) const {
    const event& e = g_.at(access);
    return e.what == kind::write ? 2 * g_.place(access, o) : 2 * g_.place(e.from, o) + 1;
  }

  /// All that a step leads to, by coherence, from an access with that key.
  void follow(from source, std::uint16_t object, unsigned key) {
    unsigned& done = done_[static_cast<unsigned>(source)][object];
    if (key >= done) return;
    const graph::object& o = g_.objects_[object];
    std::array<unsigned, max_threads> first;  // of the accesses met, in each thread
    first.fill(~0u);
    const auto meet = [&](event_id id) {
      first[id.thread] = std::min<unsigned>(first[id.thread], id.index);
      if (source != from::light && g_.at(id).how == order::seq_cst) reach(id);
    };
    for (unsigned p = key / 2 + 1; p <= o.writes.size() && 2 * p <= done; ++p) meet(o.writes[p - 1]);
    for (const event_id r : o.reads) {
      const unsigned k = 2 * g_.place(g_.at(r).from, o) + 1;
      if (k > key && k <= done) meet(r);
    }
    done = key;
    if (!fences_) return;
    for (unsigned t = 0; t < threads_; ++t) {
      const auto& nodes = g_.in_s_[t];
      for (std::size_t i = nodes.size(); i-- > 0;) {
        const event& e = g_.events_[t][nodes[i]];
        bool knows = false;
        for (unsigned u = 0; u < threads_ && !knows; ++u) knows = e.hb[u] > first[u];
        if (!knows) break;
        if (!is_access(e) && may_lead(source, e)) reach(t, static_cast<unsigned>(i), e);
      }
    }
  }

  /// Follows every step from what was reached.
  void run() {
    for (bool more = true; more;) {
      more = false;
      for (unsigned t = 0; t < threads_; ++t) {
        if (ordered_[t] < followed_[t]) {
          more = true;
          go_on(t);
        }
        if (light_[t] < light_followed_[t]) {
          more = true;
          light_followed_[t] = light_[t];
          follow_fence(from::light, {static_cast<std::uint8_t>(t), g_.in_s_[t][light_[t]]});
        }
      }
    }
  }

  bool reached(event_id access) const {
    const unsigned i = ordered_[access.thread];
    return i < g_.in_s_[access.thread].size() && g_.in_s_[access.thread][i] <= access.index;
  }
  /// Whether a fence of that class happens before what knows `hb`.
  bool knows_fence(from which, const clock& hb) const {
    constexpr unsigned all[max_threads] = {};
    return among(all, which, hb);
  }
  /// Whether one of them was reached.
  bool reached_fence(from which, const clock& hb) const {
    return among(which == from::light ? light_ : ordered_, which, hb);
  }

 private:
  bool among(const unsigned (&begin)[max_threads], from which, const clock& hb) const {
    for (unsigned t = 0; t < threads_ && fences_; ++t) {
      const auto& nodes = g_.in_s_[t];
      for (std::size_t i = begin[t]; i < nodes.size() && nodes[i] < hb[t]; ++i) {
        const event& e = g_.events_[t][nodes[i]];
        if (!is_access(e) && class_of(e) == which) return true;
      }
    }
    return false;
  }

  void reach(unsigned thread, unsigned node, const event& e) {
    unsigned& first = e.what == kind::light ? light_[thread] : ordered_[thread];
    first = std::min(first, node);
  }
  void reach(event_id access) {
    const auto& nodes = g_.in_s_[access.thread];
    // The write of a read-modify-write belongs to the node of its read.
    const auto after = std::upper_bound(nodes.begin(), nodes.end(), access.index);
    ordered_[access.thread] = std::min(ordered_[access.thread], static_cast<unsigned>(after - nodes.begin()) - 1);
  }

  /// The last event of the node: of a read-modify-write, its write.
  event_id last_of(unsigned t, unsigned node) const {
    const std::uint8_t i = g_.in_s_[t][node];
    const event& e = g_.events_[t][i];
    const bool two = e.what == kind::read && e.exclusive && i + 1u < g_.events_[t].size();
    return {static_cast<std::uint8_t>(t), static_cast<std::uint8_t>(two ? i + 1 : i)};
  }

  void go_on(unsigned t) {
    const unsigned begin = ordered_[t], end = followed_[t];
    followed_[t] = begin;
    follow_strongly(from::ordinary, t, begin);
    bool fence = false, heavy = false;
    for (unsigned i = begin; i < end; ++i) {
      const event_id id{static_cast<std::uint8_t>(t), g_.in_s_[t][i]};
      const event& e = g_.at(id);
      if (is_access(e)) {
        if (e.how == order::seq_cst) follow(from::ordinary, e.object, key(id, g_.objects_[e.object]));
      } else if (e.what == kind::fence && !fence) {  // what later ones lead to, this one does
        fence = true;
        follow_fence(from::ordinary, id);
      } else if (e.what == kind::heavy && !heavy) {
        heavy = true;
        follow_strongly(from::heavy, t, i);
        follow_fence(from::heavy, id);
      }
    }
  }

  /// "Strongly happens before", out of one node.
  void follow_strongly(from source, unsigned t, unsigned node) {
    const unsigned index = last_of(t, node).index;
    for (unsigned u = 0; u < threads_; ++u) {
      const auto& nodes = g_.in_s_[u];
      for (unsigned i = source == from::ordinary ? ordered_[u] : static_cast<unsigned>(nodes.size()); i-- > 0;) {
        if (u == t ? i <= node : g_.at(last_of(u, i)).strong[t] <= index) break;
        const event& e = g_.events_[u][nodes[i]];
        if (may_lead(source, e) && (!is_access(e) || e.how == order::seq_cst)) reach(u, i, e);
      }
    }
  }

  /// What a fence is strongly before, if it is a light one, and what comes after the accesses that know of it.
  void follow_fence(from source, event_id fence) {
    if (source == from::light) follow_strongly(source, fence.thread, light_[fence.thread]);
    for (unsigned u = 0; u < threads_; ++u) {
      const auto& events = g_.events_[u];
      for (std::size_t i = events.size(); i-- > 0 && events[i].hb.covers(fence);) {
        const event_id x{static_cast<std::uint8_t>(u), static_cast<std::uint8_t>(i)};
        if (is_access(events[i])) follow(source, events[i].object, key(x, g_.objects_[events[i].object]));
      }
    }
  }

  const graph& g_;
  const unsigned threads_;
  const bool fences_;
  // By thread, the number of a node: from there on they are reached; from there on their steps were followed.
  unsigned ordered_[max_threads], followed_[max_threads];
  unsigned light_[max_threads], light_followed_[max_threads];
  // By class and object: accesses with a greater key are reached. The checker runs on one kernel thread; they keep
  // their storage.
  static inline std::vector<unsigned> done_[3];
};

bool graph::sequenced(event_id newest) const {
  const event& e = at(newest);
  const object& o = objects_[e.object];
  const event_id write = e.what == kind::write ? newest : e.from;
  if (write == write_at(static_cast<unsigned>(o.writes.size()), o)) return true;  // nothing comes after it
  const bool access = e.how == order::seq_cst;
  if (!access && fences_ == 0) return true;

  search s(*this, threads(), fences_ != 0);
  const unsigned key = s.key(newest, o);
  // Where a fence of a class leads, one of the next leads too.
  for (const from source : {from::light, from::ordinary, from::heavy}) {
    const bool from_access = source == from::ordinary && access;
    if (!from_access && !s.knows_fence(source, e.hb)) continue;
    s.follow(source, e.object, key);
    s.run();
    if ((from_access && s.reached(newest)) || s.reached_fence(source, e.hb)) return false;
  }
  return true;
}

}  // namespace acqrel::model
