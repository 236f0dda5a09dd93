// SPDX-License-Identifier: Apache-2.0
#include "explorer.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_set>
#include <vector>

namespace acqrel::model {
namespace {

/// An alternative not yet followed: what to change in the graph once it is cut back to `stamp`.
struct alternative {
  enum class change : std::uint8_t { none, read_from, put, choose, revisit } what = change::none;
  std::uint32_t stamp = 0;
  event_id event;            // which was added with that stamp; revisit: the write
  event_id other;            // read_from: the write; revisit: the read that is to read it; put: a read to be finished
  std::uint32_t number = 0;  // put: the place; choose: the choice
  double weight = 0;         // share of the tree below it
};

/// A graph and what is left to do in it. Each backward revisit begins a new one.
struct branch {
  graph g;
  std::vector<alternative> left;
};

std::uint64_t mix(std::uint64_t h, std::uint64_t x) {
  h ^= x + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
  h ^= h >> 31;
  return h * 0xbf58476d1ce4e5b9u;
}

std::string name(kind k) {
  switch (k) {
    case kind::start: return "start";
    case kind::end: return "end";
    case kind::read: return "read";
    case kind::write: return "write";
    case kind::fence: return "fence";
    case kind::light: return "light fence";
    case kind::heavy: return "heavy fence";
    case kind::create: return "thread creation";
    case kind::join: return "join";
    case kind::choice: return "choice";
  }
  return "?";
}

std::string text(value v) {
  const auto low = static_cast<std::uint64_t>(v);
  return v == low ? std::to_string(low) : "a 16-byte value";
}

std::string describe(const graph& g, const event& e) {
  std::string s = name(e.what);
  if (e.what == kind::read || e.what == kind::write) {
    char at[32];
    std::snprintf(at, sizeof at, " of 0x%llx", static_cast<unsigned long long>(g.objects()[e.object].where));
    s += at;
  }
  if (e.what == kind::write) s += " := " + text(e.val);
  return s;
}

}  // namespace

class explorer::tree {
 public:
  tree(const exploration& how, trouble& caller) : how_(how), caller_(caller), random_(how.seed * 2 + 1) {}

  // ---- between runs
  bool next() {
    if (!begun_) {
      begun_ = true;
      push_branch();
      if (!how_.replay.empty()) read_token();
      begin_run();
      return true;
    }
    if (!how_.replay.empty()) return false;
    const bool enough = how_.max_executions != 0 && complete_ + blocked_ + abandoned_ >= how_.max_executions;
    if (how_.samples != 0) return !enough && next_sample();
    while (depth_ > 0) {
      branch& b = top();
      if (b.left.empty()) {
        --depth_;
        continue;
      }
      const alternative a = b.left.back();
      b.left.pop_back();
      if (follow(a)) {
        if (enough) {
          exhaustive_ = false;
          return false;
        }
        begin_run();
        return true;
      }
    }
    return false;
  }

  void finish(bool is_complete) {
    (is_complete ? complete_ : blocked_) += 1;
    if (how_.look_for_duplicates && is_complete) {
      if (!seen_.insert(fingerprint()).second) ++duplicates_;
    }
    if (how_.samples != 0) {
      if (detour_.what == alternative::change::none) ++sampled_;
    } else {
      done_ += weight_;
    }
  }

  void abandon() {
    exhaustive_ = false;
    ++abandoned_;
    if (how_.samples != 0) {
      if (detour_.what == alternative::change::none) ++sampled_;
    } else {
      done_ += weight_;
    }
  }

  void repeat() { begin_run(); }

  // ---- during a run
  bool turn(thread_id t) const { return cursor_ >= schedule_.size() || schedule_[cursor_] == t; }
  std::optional<thread_id> scheduled() const {
    if (cursor_ >= schedule_.size()) return std::nullopt;
    return schedule_[cursor_];
  }
  bool live(thread_id t) const { return made_[t] >= g().size(t); }

  value load(thread_id t, location l, value initial, order o, const void* site) {
    event e;
    e.what = kind::read;
    e.how = o;
    e.site = site;
    return read(t, l, initial, e);
  }

  value rmw(thread_id t, location l, value initial, const modification& m, const void* site) {
    event e;
    e.what = kind::read;
    e.rmw = m;
    e.site = site;
    return read(t, l, initial, e);
  }

  void store(thread_id t, location l, value initial, value to, order o, const void* site) {
    event e;
    e.what = kind::write;
    e.how = o;
    e.val = to;
    e.site = site;
    if (!live(t)) {
      const event& r = recorded(t, e, l, initial);
      if (r.val != to) differs(t, r, "a write of " + text(to));
      step(t);
      return;
    }
    room_for(t, 1);
    e.object = object(l, initial);
    const event_id w = add(t, e);
    const auto writes = static_cast<unsigned>(g().objects()[e.object].writes.size());
    const std::uint32_t back = guided();
    const unsigned latest = writes + 1 - std::min(back, writes);
    g().put(w, latest);
    if (how_.replay.empty()) {
      for (unsigned p = g().oldest(g().objects()[e.object], g().at(w).hb, w) + 1; p < latest; ++p) {
        if (try_place(w, p)) offer({alternative::change::put, g().at(w).stamp, w, initial_write, p, 0});
      }
      g().take(w);
      g().put(w, latest);
      offer_revisits(w);
      settle_offers();
    }
    step(t);
  }

  void fence(thread_id t, kind which, order o, const void* site) {
    event e;
    e.what = which;
    e.how = which == kind::heavy ? order::seq_cst : o;
    e.site = site;
    simple(t, e);
  }

  void start(thread_id t) {
    event e;
    e.what = kind::start;
    if (t != 0) e.from = created_[t];
    simple(t, e);
  }
  void end(thread_id t) {
    event e;
    e.what = kind::end;
    simple(t, e);
  }

  thread_id create(thread_id t, const void* site) {
    event e;
    e.what = kind::create;
    e.site = site;
    if (live(t)) {
      bool used[max_threads] = {true};
      for (const thread_id u : creators_) {
        for (const event& c : g().of(u)) used[c.what == kind::create ? c.peer : 0] = true;
      }
      unsigned child = 1;
      while (child < max_threads && used[child]) ++child;
      if (child == max_threads) caller_.bound_hit(std::to_string(max_threads) + " threads, the test's own included");
      e.peer = static_cast<thread_id>(child);
    } else {
      e.peer = g().of(t)[made_[t]].peer;
    }
    const event_id c{t, static_cast<std::uint8_t>(made_[t])};
    simple(t, e);
    created_[e.peer] = c;
    return e.peer;
  }

  void join(thread_id t, thread_id ended, const void* site) {
    event e;
    e.what = kind::join;
    e.peer = ended;
    e.from = {ended, static_cast<std::uint8_t>(made_[ended] - 1u)};
    e.site = site;
    simple(t, e);
  }

  std::uint32_t choose(thread_id t, std::uint32_t n, const void* site) {
    event e;
    e.what = kind::choice;
    e.choices = n;
    e.site = site;
    if (!live(t)) {
      const event& r = recorded(t, e, 0, 0);
      if (r.choices != n) differs(t, r, "a choice of " + std::to_string(n));
      step(t);
      return static_cast<std::uint32_t>(r.val);
    }
    room_for(t, 1);
    e.val = std::min(guided(), n - 1);
    const event_id c = add(t, e);
    if (how_.replay.empty()) {
      for (std::uint32_t i = n; i-- > 1;) offer({alternative::change::choose, g().at(c).stamp, c, initial_write, i, 0});
      settle_offers();
    }
    step(t);
    return static_cast<std::uint32_t>(g().at(c).val);
  }

  unsigned position(thread_id t) const { return made_[t]; }
  const clock& now(thread_id t) const {
    static const clock nothing{};
    return made_[t] == 0 ? nothing : g().of(t)[made_[t] - 1u].hb;
  }
  const graph& g() const { return branches_[depth_ - 1]->g; }

  std::optional<value> latest(location l) const {
    const auto found = g().find(l);
    if (!found) return std::nullopt;
    const graph::object& o = g().objects()[*found];
    for (std::size_t i = o.writes.size(); i-- > 0;) {
      if (o.writes[i].index < made_[o.writes[i].thread]) return g().at(o.writes[i]).val;
    }
    return std::nullopt;
  }

  void alone(thread_id t) {
    made_by_.push_back(static_cast<std::uint8_t>(t | alone_mark));
    if (next_alone_[t] != 0) --next_alone_[t];
  }
  std::size_t operations(thread_id t) const {
    return static_cast<std::size_t>(
        std::count_if(made_by_.begin(), made_by_.end(), [t](std::uint8_t by) { return (by & ~alone_mark) == t; }));
  }
  bool replays_alone(thread_id t) const { return next_alone_[t] != 0; }

  std::string token() const {
    std::string s;
    unsigned made[max_threads] = {};
    for (std::size_t i = 0; i < made_by_.size(); ++i) {
      const auto t = static_cast<thread_id>(made_by_[i] & ~alone_mark);
      std::uint64_t number = 0;
      if ((made_by_[i] & alone_mark) != 0) {
        s += static_cast<char>('A' + t);
        const std::size_t first = i;
        while (i + 1 < made_by_.size() && made_by_[i + 1] == made_by_[first]) ++i;
        if (i > first) number = i - first + 1;
      } else {
        s += static_cast<char>('a' + t);
        const event& e = g().of(t)[made[t]];
        const event_id id{t, static_cast<std::uint8_t>(made[t])};
        ++made[t];
        if (e.what == kind::choice) number = static_cast<std::uint64_t>(e.val);
        if (e.what == kind::read || e.what == kind::write) {
          const graph::object& o = g().objects()[e.object];
          const unsigned p = g().place(e.what == kind::read ? e.from : id, o);
          for (unsigned later = p; later < o.writes.size(); ++later) {
            const event_id w = o.writes[later];
            if (w != id && w.index < made[w.thread]) ++number;
          }
        }
        if (e.what == kind::read && e.exclusive) ++made[t];
      }
      if (number != 0) s += std::to_string(number);
    }
    return s;
  }

  std::uint64_t complete_ = 0, blocked_ = 0, duplicates_ = 0, abandoned_ = 0;
  bool exhaustive_ = true;
  double explored() const {
    if (how_.samples != 0) return static_cast<double>(sampled_) / static_cast<double>(how_.samples);
    return std::min(done_, 1.0);
  }
  bool sampling() const { return how_.samples != 0; }

 private:
  graph& g() { return branches_[depth_ - 1]->g; }
  branch& top() { return *branches_[depth_ - 1]; }

  branch& push_branch() {
    if (depth_ == branches_.size()) branches_.push_back(std::make_unique<branch>());
    branch& b = *branches_[depth_++];
    b.left.clear();
    return b;
  }

  // ---- runs
  void begin_run() {
    if (how_.replay.empty()) schedule_ = order_of(g());
    cursor_ = 0;
    std::fill(std::begin(made_), std::end(made_), std::uint8_t{0});
    touched_.assign(g().objects().size(), 0);
    made_by_.clear();
    creators_.clear();
    for (unsigned t = 0; t < max_threads; ++t) {
      for (const event& e : g().of(t)) {
        if (e.what == kind::create) {
          creators_.push_back(static_cast<thread_id>(t));
          break;
        }
      }
    }
  }

  /// The threads of its operations, in an order in which they can be made: what insertion gives no longer, once a read
  /// was turned to a later write.
  static std::vector<thread_id> order_of(const graph& g) {
    std::vector<thread_id> order;
    unsigned made[max_threads] = {};
    const unsigned n = g.threads();
    for (bool more = true; more;) {
      more = false;
      for (unsigned t = 0; t < n; ++t) {
        while (made[t] < g.size(t)) {
          const event& e = g.of(t)[made[t]];
          if (!e.from.initial() && made[e.from.thread] <= e.from.index) break;
          made[t] += e.what == kind::read && e.exclusive ? 2 : 1;
          order.push_back(static_cast<thread_id>(t));
          more = true;
        }
      }
    }
    return order;
  }

  void step(thread_id t) {
    const event& e = g().of(t)[made_[t]];
    made_[t] = static_cast<std::uint8_t>(made_[t] + (e.what == kind::read && e.exclusive ? 2 : 1));
    made_by_.push_back(t);
    if (cursor_ < schedule_.size()) ++cursor_;
    if (!alone_.empty()) count_alone(t);
  }

  [[noreturn]] void differs(thread_id t, const event& r, const std::string& now) {
    caller_.nondeterministic("thread " + std::to_string(t) + ", operation " + std::to_string(made_[t]) + ": recorded " +
                             describe(g(), r) + ", now " + now);
    __builtin_unreachable();
  }

  /// The recorded event that the operation `e` repeats.
  const event& recorded(thread_id t, const event& e, location l, value initial) {
    const event& r = g().of(t)[made_[t]];
    if (r.what != e.what) differs(t, r, name(e.what));
    if (e.what == kind::read || e.what == kind::write) {
      const graph::object& o = g().objects()[r.object];
      if (o.where != l) {
        char now[64];
        std::snprintf(now, sizeof now, "%s of 0x%llx", name(e.what).c_str(), static_cast<unsigned long long>(l));
        differs(t, r, now);
      }
      if (touched_[r.object] == 0) {
        touched_[r.object] = 1;
        if (o.initial != initial)
          differs(t, r, "with an initial value of " + text(initial) + " instead of " + text(o.initial));
      }
    }
    return r;
  }

  void room_for(thread_id t, unsigned events) {
    if (g().size(t) + events > max_events) {
      caller_.bound_hit("thread " + std::to_string(t) + " made " + std::to_string(max_events) + " operations");
    }
  }

  event_id add(thread_id t, event& e) {
    e.stamp = ++stamp_;
    return g().append(t, e);
  }

  std::uint16_t object(location l, value initial) {
    const std::uint16_t o = g().object_at(l, initial);
    if (touched_.size() <= o) touched_.resize(o + 1u, 0);
    touched_[o] = 1;
    return o;
  }

  void simple(thread_id t, event& e) {
    if (!live(t)) {
      const event& r = recorded(t, e, 0, 0);
      if (r.how != e.how || r.peer != e.peer) differs(t, r, "another " + name(e.what));
    } else {
      room_for(t, 1);
      add(t, e);
      if (e.what == kind::create) creators_.push_back(t);
      guided();
    }
    step(t);
  }

  value read(thread_id t, location l, value initial, event& e) {
    if (!live(t)) {
      const event& r = recorded(t, e, l, initial);
      const bool same = r.rmw.how == e.rmw.how && r.rmw.operand == e.rmw.operand && r.rmw.expected == e.rmw.expected &&
                        (e.rmw.how != update::none || r.how == e.how);
      if (!same) differs(t, r, "with other operands");
      step(t);
      return r.val;
    }
    room_for(t, 2);
    e.object = object(l, initial);
    const std::uint32_t back = guided();
    {
      const graph::object& o = g().objects()[e.object];
      const auto n = static_cast<unsigned>(o.writes.size());
      e.from = g().write_at(n - std::min(back, n), o);
    }
    const event_id r = add(t, e);
    if (!how_.replay.empty() && !g().coherent(r))
      caller_.nondeterministic("the token to replay belongs to another program");
    const std::uint32_t stamp = g().at(r).stamp;
    if (how_.replay.empty()) {
      const graph::object& o = g().objects()[e.object];
      // What it knew before it read: reading can teach it nothing that overwrites what it reads.
      const clock known = r.index == 0 ? clock{} : g().of(t)[r.index - 1u].hb;
      const event_id newest = e.from;
      const unsigned oldest = g().oldest(o, known, r);
      for (unsigned p = oldest; p < o.writes.size(); ++p) {
        const event_id w = g().write_at(p, o);
        g().read_from(r, w);
        if (g().sequenced(r)) offer({alternative::change::read_from, stamp, r, w, 0, 0});
      }
      g().read_from(r, newest);
    }
    // As the newest write is read, the write of a read-modify-write can follow.
    if (g().at(r).exclusive) finish_rmw(r);
    if (how_.replay.empty()) settle_offers();
    const value seen = g().at(r).val;
    step(t);
    return seen;
  }

  // ---- alternatives
  /// Adds the write of a read-modify-write right after its read; whether that is consistent. Its revisits are offered in
  /// any case.
  bool finish_rmw(event_id r) {
    const event read = g().at(r);
    event w;
    w.what = kind::write;
    w.exclusive = true;
    w.how = read.how;
    w.object = read.object;
    w.val = read.rmw.apply(read.val);
    w.site = read.site;
    const event_id id = add(r.thread, w);
    const unsigned p = g().place(read.from, g().objects()[w.object]) + 1;
    g().put(id, p);
    if (how_.replay.empty()) offer_revisits(id);
    const bool newest = p == g().objects()[w.object].writes.size();
    return newest || (g().coherent(id) && g().sequenced(id));
  }

  /// Moves the write `w` to place `p`; whether the graph is consistent then.
  bool try_place(event_id w, unsigned p) {
    g().take(w);
    g().put(w, p);
    return g().coherent(w) && g().sequenced(w);
  }

  void offer_revisits(event_id a) {
    const event& w = g().at(a);
    for (const event_id r : g().objects()[w.object].reads) {
      if (!w.porf.covers(r) && may_revisit(a, r)) {
        offer({alternative::change::revisit, w.stamp, a, r, 0, 0});
      }
    }
  }

  /// Whether everything that the revisit deletes, and the read, was added the one way that accounts for all others.
  bool may_revisit(event_id a, event_id r) const {
    const std::uint32_t since = g().at(r).stamp;
    const clock& prefix = g().at(a).porf;
    for (unsigned t = 0; t < max_threads; ++t) {
      const auto& events = g().of(t);
      for (std::size_t i = events.size(); i-- > prefix[t];) {
        if (events[i].stamp < since) break;
        if (!maximally_added({static_cast<std::uint8_t>(t), static_cast<std::uint8_t>(i)}, a)) return false;
      }
    }
    return true;
  }

  bool maximally_added(event_id id, event_id a) const {
    const event& e = g().at(id);
    if (e.what == kind::choice) return e.val == 0;
    if (e.what != kind::read && e.what != kind::write) return true;
    const clock& prefix = g().at(a).porf;
    const auto previous = [&](event_id x) { return x != a && (g().at(x).stamp <= e.stamp || prefix.covers(x)); };
    const graph::object& o = g().objects()[e.object];
    if (e.what == kind::write) {
      for (const event_id x : o.reads) {
        if (g().at(x).from == id && previous(x)) return false;
      }
    }
    const event_id w = e.what == kind::read ? e.from : id;
    if (!w.initial() && !previous(w)) return false;
    for (std::size_t i = o.writes.size(); i-- > 0;) {
      if (o.writes[i] == w) return true;
      if (previous(o.writes[i])) return false;
    }
    return true;  // the initial value, and nothing written over it
  }

  void offer(const alternative& a) { offered_.push_back(a); }

  /// Shares the weight of the present graph among what goes on, if it does, and what was offered.
  void settle_offers(bool goes_on = true) {
    if (offered_.empty()) return;
    if (how_.samples != 0) {
      if (detour_.what == alternative::change::none) {
        random_ = random_ * 6364136223846793005u + 1442695040888963407u;
        const std::uint64_t pick = (random_ >> 33) % (offered_.size() + (goes_on ? 1 : 0));
        if (pick < offered_.size()) detour_ = offered_[pick];
      }
    } else {
      weight_ /= static_cast<double>(offered_.size() + 1);
      for (alternative& a : offered_) {
        a.weight = weight_;
        top().left.push_back(a);
      }
    }
    offered_.clear();
  }

  /// Turns the graph into that alternative; whether it is consistent.
  bool follow(const alternative& a) {
    using change = alternative::change;
    weight_ = a.weight;
    stamp_ = a.stamp;
    g().cut(a.stamp);
    bool good = true;
    switch (a.what) {
      case change::read_from:
        g().read_from(a.event, a.other);
        if (g().at(a.event).exclusive) good = finish_rmw(a.event);
        settle_offers(good);
        break;
      case change::put:
        g().take(a.event);
        g().put(a.event, a.number);
        if (!a.other.initial() && g().at(a.other).exclusive) good = finish_rmw(a.other);
        settle_offers(good);
        break;
      case change::choose: g().choose(a.event, a.number); break;
      case change::revisit: return revisit(a);
      case change::none: break;
    }
    if (!good) done_ += weight_;
    return good;
  }

  bool revisit(const alternative& a) {
    const graph& old = g();
    clock keep = old.at(a.event).porf;
    for (unsigned t = 0; t < max_threads; ++t) {
      const auto& events = old.of(t);
      const std::uint32_t since = old.at(a.other).stamp;
      unsigned n = keep[t];
      while (n < events.size() && events[n].stamp <= since) ++n;
      keep[t] = static_cast<std::uint8_t>(n);
    }
    const std::size_t from = depth_ - 1;
    push_branch();
    g().copy_prefix(branches_[from]->g, keep);
    g().read_from(a.other, a.event);

    const event& w = g().at(a.event);
    std::vector<unsigned> places;
    if (w.exclusive) {
      const event_id read{a.event.thread, static_cast<std::uint8_t>(a.event.index - 1u)};
      places = {g().place(g().at(read).from, g().objects()[w.object]) + 1};
    } else {
      const graph::object& o = g().objects()[w.object];
      g().take(a.event);
      const unsigned first = g().oldest(o, w.hb, a.event) + 1;
      g().put(a.event, first);
      for (unsigned p = first; p <= o.writes.size(); ++p) places.push_back(p);
    }
    for (const unsigned p : places) {
      if (try_place(a.event, p) && g().coherent(a.other) && g().sequenced(a.other)) {
        offer({alternative::change::put, w.stamp, a.event, a.other, p, 0});
      }
    }
    if (offered_.empty()) {
      done_ += weight_;
      --depth_;
      return false;
    }
    if (how_.samples != 0) {
      random_ = random_ * 6364136223846793005u + 1442695040888963407u;
      const alternative chosen = offered_[(random_ >> 33) % offered_.size()];
      offered_.clear();
      return follow(chosen);
    }
    const double share = weight_ / static_cast<double>(offered_.size());
    for (alternative& o : offered_) {
      o.weight = share;
      top().left.push_back(o);
    }
    offered_.clear();
    const alternative first = top().left.back();
    top().left.pop_back();
    return follow(first);
  }

  // ---- random walks
  bool next_sample() {
    while (true) {
      if (detour_.what == alternative::change::none) {
        if (sampled_ >= how_.samples) return false;
        depth_ = 0;
        push_branch();
        g().clear();
        exhaustive_ = false;
        begin_run();
        return true;
      }
      const alternative a = detour_;
      detour_ = {};
      if (follow(a)) {
        // What following it offered may lead elsewhere again.
        if (detour_.what != alternative::change::none) continue;
        begin_run();
        return true;
      }
      // What is inconsistent itself may have led elsewhere; if not, the walk ends where no execution is.
      if (detour_.what == alternative::change::none) ++sampled_;
    }
  }

  // ---- replay
  void read_token() {
    const std::string& s = how_.replay;
    alone_.resize(max_threads);
    for (std::size_t i = 0; i < s.size();) {
      const bool event = s[i] >= 'a' && s[i] < static_cast<char>('a' + max_threads);
      const bool alone = s[i] >= 'A' && s[i] < static_cast<char>('A' + max_threads);
      if (!event && !alone) {
        caller_.nondeterministic("the token to replay is none: \"" + s.substr(i, 1) + "\" names no thread");
      }
      const auto t = static_cast<thread_id>(s[i++] - (event ? 'a' : 'A'));
      std::uint32_t number = 0;
      while (i < s.size() && std::isdigit(static_cast<unsigned char>(s[i])) != 0) {
        number = number * 10 + static_cast<std::uint32_t>(s[i++] - '0');
      }
      // For each thread, how many operations of no event stand before each of its events.
      if (alone_[t].empty()) alone_[t].push_back(0);
      if (event) {
        schedule_.push_back(t);
        backs_.push_back(number);
        alone_[t].push_back(0);
      } else {
        alone_[t].back() += number == 0 ? 1 : number;
      }
    }
    for (unsigned t = 0; t < max_threads; ++t) {
      std::reverse(alone_[t].begin(), alone_[t].end());
      count_alone(static_cast<thread_id>(t));
    }
  }

  /// The thread is about to make what the token has between two of its events.
  void count_alone(thread_id t) {
    next_alone_[t] = 0;
    if (alone_[t].empty()) return;
    next_alone_[t] = alone_[t].back();
    alone_[t].pop_back();
  }

  /// How far from the newest write the token wants this operation; 0 without a token.
  std::uint32_t guided() const { return cursor_ < backs_.size() ? backs_[cursor_] : 0; }

  std::uint64_t fingerprint() const {
    std::uint64_t h = 0;
    const auto id = [](event_id e) { return static_cast<std::uint64_t>(e.thread) << 8 | e.index; };
    for (unsigned t = 0; t < max_threads; ++t) {
      h = mix(h, 0x1000 + t);
      for (const event& e : g().of(t)) {
        h = mix(h, static_cast<std::uint64_t>(e.what) << 8 | static_cast<std::uint64_t>(e.how));
        h = mix(h, static_cast<std::uint64_t>(e.val));
        h = mix(h, e.what == kind::read ? id(e.from) : e.peer);
      }
    }
    std::uint64_t orders = 0;
    for (const graph::object& o : g().objects()) {
      if (!o.accessed()) continue;
      std::uint64_t one = o.where;
      for (const event_id w : o.writes) one = mix(one, id(w));
      orders += mix(one, 1);
    }
    return mix(h, orders);
  }

  const exploration how_;
  trouble& caller_;
  std::vector<std::unique_ptr<branch>> branches_;
  std::size_t depth_ = 0;
  std::vector<alternative> offered_;
  std::uint32_t stamp_ = 0;

  std::vector<thread_id> schedule_;
  std::size_t cursor_ = 0;
  std::vector<std::uint32_t> backs_;
  static constexpr std::uint8_t alone_mark = 0x80;
  std::vector<std::uint8_t> made_by_;              // this run's operations: thread, or'ed with alone_mark
  std::vector<std::vector<std::uint32_t>> alone_;  // of a token, see read_token()
  std::uint32_t next_alone_[max_threads] = {};
  std::uint8_t made_[max_threads] = {};
  std::vector<std::uint8_t> touched_;
  std::vector<thread_id> creators_;
  event_id created_[max_threads];

  bool begun_ = false;
  double weight_ = 1, done_ = 0;
  std::uint64_t sampled_ = 0, random_;
  alternative detour_;
  std::unordered_set<std::uint64_t> seen_;
};

explorer::explorer(const exploration& how, trouble& caller) : tree_(std::make_unique<tree>(how, caller)) {}
explorer::~explorer() = default;
bool explorer::next() { return tree_->next(); }
void explorer::finish(bool complete) { tree_->finish(complete); }
void explorer::repeat() { tree_->repeat(); }
void explorer::abandon() { tree_->abandon(); }
bool explorer::turn(thread_id t) const { return tree_->turn(t); }
std::optional<thread_id> explorer::scheduled() const { return tree_->scheduled(); }
bool explorer::live(thread_id t) const { return tree_->live(t); }
value explorer::load(thread_id t, location l, value initial, order o, const void* site) {
  return tree_->load(t, l, initial, o, site);
}
void explorer::store(thread_id t, location l, value initial, value to, order o, const void* site) {
  tree_->store(t, l, initial, to, o, site);
}
value explorer::rmw(thread_id t, location l, value initial, const modification& m, const void* site) {
  return tree_->rmw(t, l, initial, m, site);
}
void explorer::fence(thread_id t, kind which, order o, const void* site) { tree_->fence(t, which, o, site); }
void explorer::start(thread_id t) { tree_->start(t); }
void explorer::end(thread_id t) { tree_->end(t); }
thread_id explorer::create(thread_id t, const void* site) { return tree_->create(t, site); }
void explorer::join(thread_id t, thread_id ended, const void* site) { tree_->join(t, ended, site); }
std::uint32_t explorer::choose(thread_id t, std::uint32_t n, const void* site) { return tree_->choose(t, n, site); }
void explorer::alone(thread_id t) { tree_->alone(t); }
std::size_t explorer::operations(thread_id t) const { return tree_->operations(t); }
bool explorer::replays_alone(thread_id t) const { return tree_->replays_alone(t); }
unsigned explorer::position(thread_id t) const { return tree_->position(t); }
const clock& explorer::now(thread_id t) const { return tree_->now(t); }
const graph& explorer::execution() const { return static_cast<const tree&>(*tree_).g(); }
std::optional<value> explorer::latest(location l) const { return tree_->latest(l); }
std::uint64_t explorer::complete() const { return tree_->complete_; }
std::uint64_t explorer::blocked() const { return tree_->blocked_; }
std::uint64_t explorer::duplicates() const { return tree_->duplicates_; }
bool explorer::exhaustive() const { return tree_->exhaustive_ && !tree_->sampling(); }
double explorer::explored() const { return tree_->explored(); }
std::string explorer::token() const { return tree_->token(); }

}  // namespace acqrel::model
