// SPDX-License-Identifier: Apache-2.0
#include "graph.hpp"

#include <algorithm>

namespace acqrel::model {
namespace {

bool is_fence_in_s(const event& e) {
  return e.what == kind::light || e.what == kind::heavy || (e.what == kind::fence && e.how == order::seq_cst);
}

// Which of its two orders a compare-exchange has depends on what it reads, and that may change.
bool may_be_in_s(const event& e) {
  if (e.what == kind::write) return e.how == order::seq_cst && !e.exclusive;
  if (e.what != kind::read) return is_fence_in_s(e);
  if (e.rmw.how == update::none) return e.how == order::seq_cst;
  return e.rmw.success == order::seq_cst || e.rmw.failure == order::seq_cst;
}

}  // namespace

unsigned graph::threads() const {
  unsigned n = max_threads;
  while (n > 0 && events_[n - 1].empty()) --n;
  return n;
}

unsigned graph::place(event_id write, const object& of) const {
  if (write.initial()) return 0;
  for (unsigned i = static_cast<unsigned>(of.writes.size()); i-- > 0;) {
    if (of.writes[i] == write) return i + 1;
  }
  return 0;
}

bool graph::reads_latest(event_id r) const {
  const event& e = at(r);
  const object& o = objects_[e.object];
  for (unsigned p = place(e.from, o); p < o.writes.size(); ++p) {
    const event_id w = o.writes[p];
    if (!at(w).exclusive || at(w).val != events_[w.thread][w.index - 1u].val) return false;
  }
  return true;
}

bool graph::one_operation(event_id a, event_id b) const {
  if (a.initial() || b.initial() || a.thread != b.thread) return false;
  if (a.index > b.index) std::swap(a, b);
  return b.index == a.index + 1 && at(b).what == kind::write && at(b).exclusive;
}

void graph::clear() {
  for (auto& thread : events_) thread.clear();
  for (auto& thread : in_s_) thread.clear();
  fences_ = 0;
  objects_.clear();
}

std::optional<std::uint16_t> graph::find(location where) const {
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    if (objects_[i].where == where) return static_cast<std::uint16_t>(i);
  }
  return std::nullopt;
}

std::uint16_t graph::object_at(location where, value initial) {
  if (const auto known = find(where)) {
    if (!objects_[*known].accessed()) objects_[*known].initial = initial;
    return *known;
  }
  objects_.push_back({where, initial, {}, {}});
  return static_cast<std::uint16_t>(objects_.size() - 1);
}

event_id graph::append(unsigned thread, const event& e) {
  const event_id id{static_cast<std::uint8_t>(thread), static_cast<std::uint8_t>(events_[thread].size())};
  events_[thread].push_back(e);
  if (e.what == kind::read) objects_[e.object].reads.push_back(id);
  if (may_be_in_s(e)) in_s_[thread].push_back(id.index);
  if (is_fence_in_s(e)) ++fences_;
  settle(id);
  return id;
}

void graph::settle(event_id id) {
  std::vector<event>& mine = events_[id.thread];
  event& e = mine[id.index];
  const bool written = e.what == kind::write && e.exclusive;  // the store of a read-modify-write
  if (id.index > 0) {
    const event& before = mine[id.index - 1u];
    e.hb = before.hb;
    e.porf = before.porf;
    e.pending = before.pending;
    e.fenced = before.fenced;
    e.strong = before.strong;
    e.strong_pending = before.strong_pending;
    e.strong_fenced = before.strong_fenced;
  } else {
    e.hb = e.porf = e.pending = e.fenced = e.strong = e.strong_pending = e.strong_fenced = clock{};
  }
  e.release = e.strong_release = clock{};

  // Strongly happens before, by way of B that simply happens before C: what is sequenced before B, if C is sequenced
  // before this. The two parts of a read-modify-write are not sequenced.
  if (const int c = id.index - (written ? 2 : 1); c >= 0) {
    const clock& known = mine[static_cast<unsigned>(c)].hb;
    for (unsigned u = 0; u < max_threads; ++u) {
      if (u == id.thread || known[u] == 0) continue;
      const unsigned b = known[u] - 1u;
      const event& last = events_[u][b];
      const unsigned before = last.what == kind::write && last.exclusive ? b - 1 : b;
      if (before > e.strong[u]) e.strong.join(events_[u][before - 1].strong);
    }
  }

  const auto self = [id](clock& c) { c[id.thread] = static_cast<std::uint8_t>(id.index + 1); };
  self(e.hb);
  self(e.porf);
  self(e.strong);

  switch (e.what) {
    case kind::start:
      if (e.from.initial()) break;
      [[fallthrough]];
    case kind::join: {
      const event& other = at(e.from);  // the create, the end
      e.hb.join(other.hb);
      e.porf.join(other.porf);
      break;
    }
    case kind::read: {
      e.val = value_of(e.from, objects_[e.object]);
      e.exclusive = e.rmw.how != update::none && e.rmw.writes(e.val);
      if (e.rmw.how != update::none) e.how = e.exclusive ? e.rmw.success : e.rmw.failure;
      if (e.from.initial()) break;
      const event& w = at(e.from);
      e.porf.join(w.porf);
      if (acquires(e.how)) e.hb.join(w.release);
      e.pending.join(w.release);
      if (e.how == order::seq_cst) e.strong.join(w.strong_release);
      e.strong_pending.join(w.strong_release);
      break;
    }
    case kind::write:
      e.release = releases(e.how) ? e.hb : e.fenced;
      e.strong_release = e.how == order::seq_cst ? e.strong : e.strong_fenced;
      if (written) {
        const event_id from = mine[id.index - 1u].from;
        if (!from.initial()) {
          e.release.join(at(from).release);
          e.strong_release.join(at(from).strong_release);
        }
      }
      break;
    case kind::fence:
    case kind::heavy:
      if (acquires(e.how)) e.hb.join(e.pending);
      if (releases(e.how)) e.fenced = e.hb;
      if (e.how == order::seq_cst) {
        e.strong.join(e.strong_pending);
        e.strong_fenced = e.strong;
      }
      break;
    default: break;
  }
}

void graph::read_from(event_id read, event_id write) {
  events_[read.thread][read.index].from = write;
  settle(read);
}

void graph::put(event_id write, unsigned place) {
  auto& writes = objects_[at(write).object].writes;
  writes.insert(writes.begin() + (place - 1), write);
}

void graph::take(event_id write) {
  auto& writes = objects_[at(write).object].writes;
  writes.erase(std::find(writes.begin(), writes.end(), write));
}

void graph::cut(std::uint32_t stamp) {
  for (unsigned t = 0; t < max_threads; ++t) {
    auto& mine = events_[t];
    while (!mine.empty() && mine.back().stamp > stamp) {
      const event& e = mine.back();
      const event_id id{static_cast<std::uint8_t>(t), static_cast<std::uint8_t>(mine.size() - 1)};
      if (e.what == kind::read || e.what == kind::write) {
        auto& list = e.what == kind::read ? objects_[e.object].reads : objects_[e.object].writes;
        for (std::size_t i = list.size(); i-- > 0;) {
          if (list[i] == id) {
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
            break;
          }
        }
      }
      if (is_fence_in_s(e)) --fences_;
      mine.pop_back();
    }
    while (!in_s_[t].empty() && in_s_[t].back() >= mine.size()) in_s_[t].pop_back();
  }
}

void graph::copy_prefix(const graph& other, const clock& keep) {
  fences_ = 0;
  for (unsigned t = 0; t < max_threads; ++t) {
    events_[t].assign(other.events_[t].begin(), other.events_[t].begin() + keep[t]);
    const auto& in_s = other.in_s_[t];
    in_s_[t].assign(in_s.begin(), std::lower_bound(in_s.begin(), in_s.end(), keep[t]));
    for (const std::uint8_t i : in_s_[t]) fences_ += is_fence_in_s(events_[t][i]) ? 1u : 0u;
  }
  objects_.resize(other.objects_.size());
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    const object& from = other.objects_[i];
    object& to = objects_[i];
    to.where = from.where;
    to.initial = from.initial;
    const auto kept = [&keep](event_id e) { return keep.covers(e); };
    to.writes.clear();
    std::copy_if(from.writes.begin(), from.writes.end(), std::back_inserter(to.writes), kept);
    to.reads.clear();
    std::copy_if(from.reads.begin(), from.reads.end(), std::back_inserter(to.reads), kept);
  }
}

unsigned graph::oldest(const object& of, const clock& hb, event_id except) const {
  unsigned least = 0;
  for (unsigned i = static_cast<unsigned>(of.writes.size()); i-- > 0;) {
    if (of.writes[i] != except && hb.covers(of.writes[i])) {
      least = i + 1;
      break;
    }
  }
  for (const event_id r : of.reads) {
    if (r != except && hb.covers(r)) least = std::max(least, place(at(r).from, of));
  }
  return least;
}

bool graph::taken(const object& of, unsigned p) const {
  if (p >= of.writes.size()) return false;
  const event_id next = of.writes[p];
  return at(next).exclusive && events_[next.thread][next.index - 1u].from == write_at(p, of);
}

bool graph::coherent(event_id id) const {
  const event& e = at(id);
  const object& o = objects_[e.object];
  if (e.what == kind::read) return place(e.from, o) >= oldest(o, e.hb, id);

  const unsigned p = place(id, o);
  // What it knows must come before it: everything covered, other than itself and the read it belongs to.
  for (unsigned i = p; i < o.writes.size(); ++i) {
    if (e.hb.covers(o.writes[i])) return false;
  }
  for (const event_id r : o.reads) {
    if (e.hb.covers(r) && place(at(r).from, o) >= p) return false;
  }
  if (e.exclusive && place(events_[id.thread][id.index - 1u].from, o) != p - 1) return false;
  if (p < o.writes.size()) {
    const event_id next = o.writes[p];
    if (at(next).exclusive && events_[next.thread][next.index - 1u].from != id) return false;
  }
  return true;
}

}  // namespace acqrel::model
