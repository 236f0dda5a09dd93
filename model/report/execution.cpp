// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "labels.hpp"
#include "report.hpp"

namespace acqrel::model {
namespace {

constexpr unsigned gap = 2;            // blanks between columns
constexpr unsigned numbers = 7;        // ">[12]  "
constexpr unsigned least_source = 40;  // columns that source lines ask for
constexpr unsigned least_column = 16;  // a thread's, whatever else must be cut
constexpr unsigned cut_source = 24;    // with less room they stand below the table
constexpr std::size_t not_printed = ~std::size_t{0};

/// One printed operation: an event, a read-modify-write (read and write in one), or a mark.
struct row {
  thread_id thread = 0;
  int index = -1;  // of the event; -1: a mark
  const mark* noted = nullptr;
  std::string text;
};

/// What stands in a thread's column, before the threads are woven into one order.
struct step {
  int index;  // -1: a mark
  const mark* noted;
};

class page {
 public:
  page(const graph& g, const telling& how) : g_(g), how_(how), labels_(g, how) {}

  std::string print() {
    for (thread_id t = 0; t < g_.threads(); ++t) row_of_[t].assign(g_.size(t), not_printed);
    weave();
    for (row& r : rows_)
      r.text = r.noted != nullptr ? r.noted->what : text_of({r.thread, static_cast<std::uint8_t>(r.index)});
    std::string out = table();
    out += between_threads();
    out += objects();
    return out;
  }

 private:
  unsigned made(thread_id t) const {
    const unsigned all = g_.size(t);
    return how_.made ? std::min(all, (*how_.made)[t]) : all;
  }
  const event& at(event_id e) const { return g_.at(e); }
  /// The write half of a read-modify-write is printed with its read.
  bool joined_to_previous(event_id e) const { return at(e).what == kind::write && at(e).exclusive && e.index > 0; }

  // ---- one order of all
  std::vector<step> steps_of(thread_id t) const {
    std::vector<step> steps;
    const auto noted_at = [&](unsigned position, bool all_after) {
      for (const mark& m : how_.marks)
        if (m.thread == t && (m.position == position || (all_after && m.position > position)))
          steps.push_back({-1, &m});
    };
    for (unsigned i = 0; i < made(t); ++i) {
      noted_at(i, false);
      if (!joined_to_previous({t, static_cast<std::uint8_t>(i)})) steps.push_back({static_cast<int>(i), nullptr});
    }
    noted_at(made(t), true);
    return steps;
  }

  bool printed(event_id e) const {
    return e.initial() || row_of_[e.thread][e.index] != not_printed || e.index >= made(e.thread);
  }

  /// Whether what must stand above this event does.
  bool ready(event_id e, const std::vector<bool>& ended) const {
    const event& it = at(e);
    switch (it.what) {
      case kind::read: return printed(it.from);
      case kind::join: return ended[it.peer];
      case kind::start: return started_[e.thread];
      default: return true;
    }
  }

  /// Program order and reads-from, one thread for as long as it can go on: so each is read in few pieces.
  void weave() {
    const unsigned threads = std::max<unsigned>(g_.threads(), highest_mark());
    std::vector<std::vector<step>> steps;
    for (unsigned t = 0; t < threads; ++t) steps.push_back(steps_of(static_cast<thread_id>(t)));
    std::vector<std::size_t> next(threads, 0);
    std::vector<bool> ended(std::max<unsigned>(threads, max_threads), true);
    started_.assign(max_threads, true);
    shown_.assign(g_.objects().size(), false);
    for (unsigned t = 0; t < threads; ++t) {
      ended[t] = steps[t].empty();
      for (unsigned i = 0; i < made(static_cast<thread_id>(t)); ++i) {
        const event& it = at({static_cast<std::uint8_t>(t), static_cast<std::uint8_t>(i)});
        if (it.what == kind::create) started_[it.peer] = false;
      }
    }
    thread_id current = 0;
    const auto can = [&](thread_id t) {
      if (next[t] == steps[t].size()) return false;
      const int index = steps[t][next[t]].index;
      return index < 0 || ready({t, static_cast<std::uint8_t>(index)}, ended);
    };
    const auto joins = [&](thread_id t) {
      const step& s = steps[t][next[t]];
      return s.index >= 0 && at({t, static_cast<std::uint8_t>(s.index)}).what == kind::join;
    };
    for (;;) {
      // A join waits until there is nothing else: what the others do is one story.
      if (!can(current) || joins(current)) {
        thread_id other = 0;
        while (other < threads && (!can(other) || joins(other))) ++other;
        for (thread_id t = 0; t < threads && other == threads; ++t)
          if (can(t)) other = t;
        if (other == threads) break;
        current = other;
      }
      take(current, steps[current][next[current]]);
      if (++next[current] == steps[current].size()) ended[current] = true;
    }
  }

  void take(thread_id t, const step& s) {
    if (s.index >= 0) {
      const event_id e{t, static_cast<std::uint8_t>(s.index)};
      const event& it = at(e);
      if (it.what == kind::create) started_[it.peer] = true;
      if (it.what == kind::read || it.what == kind::write) shown_[it.object] = true;
      row_of_[t][e.index] = rows_.size();
      const event_id second{t, static_cast<std::uint8_t>(e.index + 1)};
      if (second.index < made(t) && joined_to_previous(second)) row_of_[t][second.index] = rows_.size();
      if (it.what == kind::start || it.what == kind::end) return;  // create and join say it
    }
    rows_.push_back({t, s.index, s.noted, {}});
  }

  unsigned highest_mark() const {
    unsigned n = 0;
    for (const mark& m : how_.marks) n = std::max(n, m.thread + 1u);
    return std::min(n, max_threads);
  }

  // ---- texts
  std::string number(event_id e) const { return "[" + std::to_string(row_of_[e.thread][e.index] + 1) + "]"; }

  /// "from [4]", "initial"; and a later write that stands above: what surprises who thinks in interleavings.
  std::string origin(event_id read) const {
    const event& it = at(read);
    std::string out = it.from.initial() ? "initial" : "from " + number(it.from);
    const auto& object = g_.objects()[it.object];
    const std::size_t here = row_of_[read.thread][read.index];
    for (std::size_t i = object.writes.size(); i-- > g_.place(it.from, object);) {
      const event_id w = object.writes[i];
      if (w.thread == read.thread && w.index > read.index) continue;  // its own store
      if (w.index < made(w.thread) && row_of_[w.thread][w.index] < here) return out + ", not " + number(w);
    }
    return out;
  }

  std::string text_of(event_id e) const {
    const event& it = at(e);
    const std::string order = order_text(it.how);
    switch (it.what) {
      case kind::start: return "begins";
      case kind::end: return "ends";
      case kind::create: return "starts thread " + std::to_string(it.peer);
      case kind::join: return "joins thread " + std::to_string(it.peer);
      case kind::fence: return "fence(" + order + ")";
      case kind::light: return "light fence";
      case kind::heavy: return "heavy fence";
      case kind::choice:
        return "choice " + std::to_string(static_cast<unsigned>(it.val) + 1) + " of " + std::to_string(it.choices);
      case kind::write: return labels_.of(it.object) + ".store(" + value_text(it.val) + ", " + order + ")";
      case kind::read: break;
    }
    const std::string name = labels_.of(it.object);
    const modification& m = it.rmw;
    if (m.how == update::none) return name + ".load(" + order + ") = " + value_text(it.val) + " " + origin(e);
    std::string call = name + "." + update_text(m.how) + "(";
    if (m.how == update::compare_exchange) call += value_text(m.expected) + " -> ";
    call += value_text(m.operand);
    if (m.how == update::add_below) call += " below " + value_text(m.expected);
    call += std::string(", ") + order_text(m.writes(it.val) ? m.success : m.failure) + ")";
    if (!m.writes(it.val)) return call + " fails: " + value_text(it.val) + " " + origin(e);
    // A compare-exchange that writes has read what it says.
    return call + (m.how == update::compare_exchange ? " " : " of " + value_text(it.val) + " ") + origin(e);
  }

  // ---- the table
  std::string table() const {
    const auto threads = static_cast<unsigned>(std::max<std::size_t>(g_.threads(), highest_mark()));
    std::vector<unsigned> widths(threads);
    std::vector<source> sources;
    for (unsigned t = 0; t < threads; ++t) widths[t] = 8 + (t > 9);  // "thread 9"
    for (const row& r : rows_) {
      widths[r.thread] = std::max(widths[r.thread], static_cast<unsigned>(r.text.size()));
      sources.push_back(where(r));
    }
    const std::string file = shorten(sources);
    auto source_width = static_cast<unsigned>(file.size());
    for (const source& each : sources)
      source_width = std::max(source_width, static_cast<unsigned>(source_text(each).size()));
    fit(widths, source_width == 0 ? 0 : std::min(source_width, least_source));

    unsigned table_width = numbers;
    for (const unsigned w : widths) table_width += w + gap;
    const bool beside = table_width + std::min(source_width, cut_source) <= how_.width;

    std::string out(numbers, ' ');
    for (unsigned t = 0; t < threads; ++t) out += padded("thread " + std::to_string(t), widths[t] + gap);
    out = trimmed(beside ? out + file : out) + "\n";
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const row& r = rows_[i];
      unsigned before = 0;
      for (unsigned t = 0; t < r.thread; ++t) before += widths[t] + gap;
      const auto lines = wrapped(r.text, widths[r.thread]);
      for (std::size_t l = 0; l < lines.size(); ++l) {
        std::string line = padded(l == 0 ? numbered(i) : "", numbers) + std::string(before, ' ') + lines[l];
        if (l == 0 && beside)
          line = padded(line, table_width) + source_text(sources[i]).substr(0, how_.width - table_width);
        out += trimmed(line) + "\n";
      }
    }
    if (beside || source_width == 0) return out;
    out += "source " + file + "\n";
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (const std::string text = source_text(sources[i]); !text.empty())
        out += padded(numbered(i), numbers) + text + "\n";
    return out;
  }

  /// ">" points at a trouble.
  std::string numbered(std::size_t i) const {
    const bool failing = rows_[i].noted != nullptr && rows_[i].noted->failing;
    return (failing ? ">[" : " [") + std::to_string(i + 1) + "]";
  }

  /// Takes from the widest column until all fit beside the source lines.
  void fit(std::vector<unsigned>& widths, unsigned source_width) const {
    const auto total = [&] {
      unsigned sum = numbers + source_width;
      for (const unsigned w : widths) sum += w + gap;
      return sum;
    };
    while (total() > how_.width) {
      const auto widest = std::max_element(widths.begin(), widths.end());
      if (widest == widths.end() || *widest <= least_column) break;
      --*widest;
    }
  }

  source where(const row& r) const {
    const void* const site =
        r.noted != nullptr ? r.noted->site : at({r.thread, static_cast<std::uint8_t>(r.index)}).site;
    return site != nullptr && how_.where ? how_.where(site) : source{};
  }
  /// Takes from each place the file that most are in, and returns it.
  static std::string shorten(std::vector<source>& sources) {
    const auto file_of = [](const source& s) {
      return s.text.empty() ? std::string() : s.place.substr(0, s.place.rfind(':'));
    };
    std::map<std::string, unsigned> times;
    for (const source& each : sources) ++times[file_of(each)];
    times.erase("");
    const auto most =
        std::max_element(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == times.end()) return {};
    for (source& each : sources)
      if (file_of(each) == most->first) each.place.erase(0, most->first.size());
    return most->first;
  }

  static std::string source_text(const source& s) { return s.text.empty() ? s.place : s.place + "  " + s.text; }

  // ---- who comes after whom
  std::string between_threads() const {
    std::string out;
    for (const row& r : rows_) {
      if (r.noted != nullptr) continue;
      const event_id e{r.thread, static_cast<std::uint8_t>(r.index)};
      if (at(e).what != kind::join) out += learns(e);
      if (at(e).what == kind::read) out += reads_without_order(e);
    }
    std::vector<std::size_t> failing;
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (rows_[i].noted != nullptr && rows_[i].noted->failing) failing.push_back(i);
    if (how_.racing && failing.size() == 2 && unordered(rows_[failing[0]], rows_[failing[1]]))
      out += "  [" + std::to_string(failing[0] + 1) + "] and [" + std::to_string(failing[1] + 1) +
             "]: neither comes before the other\n";
    return out.empty() ? out : "between threads\n" + out;
  }

  /// Neither marked place knows the other's.
  bool unordered(const row& a, const row& b) const {
    if (a.thread == b.thread) return false;
    const auto knows = [&](const row& late, const row& early) {
      const unsigned position = std::min(late.noted->position, made(late.thread));
      if (position == 0 || late.thread >= g_.threads()) return false;
      return at({late.thread, static_cast<std::uint8_t>(position - 1)}).hb[early.thread] > early.noted->position;
    };
    return !knows(a, b) && !knows(b, a);
  }

  /// "[6] comes after [4]": events of other threads that e is the first of its thread to come after, but those that
  /// another of them implies.
  std::string learns(event_id e) const {
    // A read-modify-write learns in its read.
    std::vector<event_id> news;
    for (thread_id u = 0; u < g_.threads(); ++u) {
      if (u == e.thread) continue;
      const unsigned before = e.index == 0 ? 0 : at({e.thread, static_cast<std::uint8_t>(e.index - 1)}).hb[u];
      const unsigned now = at(e).hb[u];
      if (now > before && now <= g_.size(u)) news.push_back({u, static_cast<std::uint8_t>(now - 1)});
    }
    std::string out;
    for (const event_id f : news) {
      const bool implied =
          std::any_of(news.begin(), news.end(), [&](event_id g) { return g != f && at(g).hb.covers(f); });
      if (implied || at(f).what == kind::create || at(f).what == kind::start ||
          row_of_[f.thread][f.index] == not_printed)
        continue;
      const event& it = at(e);
      std::string through;
      if (it.what == kind::read)
        through = labels_.of(it.object) + ", release to acquire";
      else if (it.what == kind::fence)
        through = "the acquire fence and an earlier read";
      out += "  " + number(e) + " comes after " + number(f) + (through.empty() ? "" : ", through " + through) + "\n";
    }
    return out;
  }

  std::string reads_without_order(event_id e) const {
    const event& it = at(e);
    if (it.from.initial() || it.from.thread == e.thread || is_word(g_.objects()[it.object].where)) return {};
    const event& last = at({e.thread, static_cast<std::uint8_t>(made(e.thread) - 1)});
    if (last.hb.covers(it.from)) return {};
    const event& from = at(it.from);
    std::string why;
    if (!releases(from.how)) why = "the write is " + std::string(order_text(from.how));
    if (!acquires(it.how)) why += (why.empty() ? "" : ", ") + std::string("the read is ") + order_text(it.how);
    return "  " + number(e) + " reads from " + number(it.from) + " and does not come after it" +
           (why.empty() ? "" : ": " + why) + "\n";
  }

  // ---- objects
  std::string objects() const {
    std::vector<std::pair<std::string, std::string>> lines;
    std::size_t width = 0;
    for (std::uint16_t i = 0; i < g_.objects().size(); ++i) {
      const auto& object = g_.objects()[i];
      if (!shown_[i]) continue;
      std::string order = value_text(object.initial) + " initial";
      for (const event_id w : object.writes)
        if (w.index < made(w.thread)) order += ", " + value_text(at(w).val) + " " + number(w);
      const std::string name = labels_.full(i);
      lines.emplace_back(labels_.of(i), name.empty() ? order : order + "   " + name);
      width = std::max(width, labels_.of(i).size());
    }
    std::string out;
    for (const auto& [label, text] : lines)
      out += "  " + padded(label, static_cast<unsigned>(width) + gap) + text + "\n";
    return out.empty() ? out : "modification orders\n" + out;
  }

  const graph& g_;
  const telling& how_;
  labels labels_;
  std::vector<row> rows_;
  std::vector<std::size_t> row_of_[max_threads];
  std::vector<bool> started_;
  std::vector<bool> shown_;  // objects
};

}  // namespace

std::string print_execution(const graph& g, const telling& how) { return page(g, how).print(); }

}  // namespace acqrel::model
