// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "draw.hpp"

namespace acqrel::model::litmus {

namespace {

struct point {
  double x = 0, y = 0;
};

// All lengths in pixels of the picture.
constexpr double character = 8.43;  // a monospaced one of 14 pixels
constexpr double box_height = 36, margin = 36, top = 104, lane_step = 14, port_step = 9;

constexpr std::array relations{relation::rf, relation::sw, relation::mo, relation::rb, relation::race};

const char* colour(relation r) {
  switch (r) {
    case relation::rf: return "#15803d";
    case relation::sw: return "#7c3aed";
    case relation::mo: return "#1d4ed8";
    case relation::rb: return "#c2410c";
    case relation::race: return "#dc2626";
  }
  return "";
}

std::string number_text(double v) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f", v);
  return buffer.data();
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  return out;
}

std::string at(point p) { return number_text(p.x) + " " + number_text(p.y); }

point on_curve(point a, point b, point c, point d, double t) {
  const double s = 1 - t;
  const double wa = s * s * s, wb = 3 * s * s * t, wc = 3 * s * t * t, wd = t * t * t;
  return {wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y};
}

class picture {
 public:
  picture(const program& p, const drawing& d, std::string_view caption) : drawing_(d) {
    std::size_t longest = 0;
    for (const drawing::box& b : d.boxes) longest = std::max(longest, b.text.size() + b.letter.size() + 2);
    box_width_ = std::max(130.0, static_cast<double>(longest) * character + 24);
    column_step_ = box_width_ + 120;
    threads_ = static_cast<unsigned>(p.threads.size());
    for (const drawing::box& b : d.boxes) rows_ = std::max(rows_, b.row + 1);
    lanes_.assign(rows_ + 1, 0);
    for (const drawing::line& l : d.lines)
      if (l.from >= 0 && apart(l) > 1) ++lanes_[gap(l)];
    header_ = 38 + lane_step * lanes_[0];
    row_step_ = 92 + lane_step * (*std::max_element(lanes_.begin(), lanes_.end()) > 3
                                      ? *std::max_element(lanes_.begin(), lanes_.end()) - 3
                                      : 0);
    lanes_.assign(rows_ + 1, 0);
    assign_ports();
    width_ = std::max({2 * margin + 80 + threads_ * column_step_ - 120,
                       2 * margin + static_cast<double>(caption.size()) * 7.3, 2 * margin + legend_width()});
    left_ = (width_ - (threads_ * column_step_ - 120)) / 2;
    const double bottom = top + header_ + rows_ * row_step_ - (row_step_ - box_height);
    height_ = bottom + 96;

    body_ += "<rect x=\"0.5\" y=\"0.5\" width=\"" + number_text(width_ - 1) + "\" height=\"" +
             number_text(height_ - 1) + "\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d0d7de\"/>\n";
    words({margin, 40}, p.name, "font-size=\"20\" font-weight=\"bold\" fill=\"#111827\"");
    words({margin, 64}, caption, "font-size=\"12\" fill=\"#4b5563\"");
    for (unsigned t = 0; t < threads_; ++t)
      words({centre(t), top + 14}, "P" + std::to_string(t),
            "font-size=\"15\" font-weight=\"bold\" fill=\"#374151\" text-anchor=\"middle\"");
    program_order();
    for (const drawing::box& b : d.boxes) box(b);
    for (std::size_t i = 0; i < d.lines.size(); ++i) line(i);
    body_ += labels_;
    words({margin, bottom + 40}, d.outcome.empty() ? "" : "outcome: " + d.outcome, "font-size=\"14\" fill=\"#111827\"");
    legend(bottom + 70);
  }

  std::string text() const {
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number_text(width_) + "\" height=\"" +
                      number_text(height_) + "\" viewBox=\"0 0 " + number_text(width_) + " " + number_text(height_) +
                      "\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\">\n<defs>\n";
    for (const relation r : relations)
      if (drawn(r))
        out += std::string("<marker id=\"") + litmus::text(r) +
               "\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" "
               "orient=\"auto-start-reverse\">"
               "<path d=\"M0 0L10 5L0 10z\" fill=\"" +
               colour(r) + "\"/></marker>\n";
    return out + "</defs>\n" + body_ + "</svg>\n";
  }

 private:
  double centre(unsigned thread) const { return left_ + thread * column_step_ + box_width_ / 2; }
  double middle(unsigned row) const { return top + header_ + row * row_step_ + box_height / 2; }
  const drawing::box& at_box(int index) const { return drawing_.boxes[static_cast<unsigned>(index)]; }
  bool drawn(relation r) const {
    return std::any_of(drawing_.lines.begin(), drawing_.lines.end(),
                       [r](const drawing::line& l) { return l.what == r; });
  }
  double legend_width() const {
    double w = 0;
    for (const relation r : relations) w += drawn(r) ? legend_step(r) : 0;
    return w;
  }
  static double legend_step(relation r) {
    return 62 + 7.3 * static_cast<double>(std::string_view(about(r)).size() + 3);
  }

  void words(point p, std::string_view text, const char* how) {
    if (text.empty()) return;
    body_ += "<text x=\"" + number_text(p.x) + "\" y=\"" + number_text(p.y) + "\" " + how + ">" + escaped(text) +
             "</text>\n";
  }

  void program_order() {
    for (const drawing::box& b : drawing_.boxes)
      if (b.row > 0)
        body_ += "<path d=\"M" + at({centre(b.thread), middle(b.row - 1) + box_height / 2}) + "L" +
                 at({centre(b.thread), middle(b.row) - box_height / 2}) +
                 "\" stroke=\"#9ca3af\" stroke-width=\"1.5\" stroke-dasharray=\"2 4\"/>\n";
  }

  void box(const drawing::box& b) {
    const double x = centre(b.thread) - box_width_ / 2, y = middle(b.row) - box_height / 2;
    body_ += "<rect x=\"" + number_text(x) + "\" y=\"" + number_text(y) + "\" width=\"" + number_text(box_width_) +
             "\" height=\"" + number_text(box_height) + "\" rx=\"6\" fill=\"#f3f4f6\" stroke=\"#6b7280\"/>\n";
    words({x + 12, y + 23}, b.letter + ":", "font-size=\"14\" fill=\"#6b7280\"");
    words({x + 12 + static_cast<double>(b.letter.size() + 2) * character, y + 23}, b.text,
          "font-size=\"14\" fill=\"#111827\"");
  }

  unsigned apart(const drawing::line& l) const {
    const unsigned a = at_box(l.from).thread, b = at_box(l.to).thread;
    return a < b ? b - a : a - b;
  }
  /// The row above which a line runs that has boxes in its way.
  unsigned gap(const drawing::line& l) const { return std::max(at_box(l.from).row, at_box(l.to).row); }
  /// Whether the line leaves (or reaches) a box on its right-hand side.
  bool on_right(const drawing::line& l, int box) const {
    const unsigned here = at_box(box).thread, there = at_box(box == l.from ? l.to : l.from).thread;
    return here == there ? l.what != relation::mo : there > here;
  }

  // Lines that meet one side of a box meet it at different heights, those that go up highest.
  void assign_ports() {
    struct end {
      unsigned other_row;
      std::size_t line;
      bool target;
    };
    ports_.assign(drawing_.lines.size(), {0, 0});
    for (int b = 0; b < static_cast<int>(drawing_.boxes.size()); ++b)
      for (const bool right : {false, true}) {
        std::vector<end> ends;
        for (std::size_t i = 0; i < drawing_.lines.size(); ++i) {
          const drawing::line& l = drawing_.lines[i];
          if (l.from < 0 || (l.from != b && l.to != b) || on_right(l, b) != right) continue;
          ends.push_back({at_box(l.from == b ? l.to : l.from).row, i, l.to == b});
        }
        std::stable_sort(ends.begin(), ends.end(),
                         [](const end& x, const end& y) { return x.other_row < y.other_row; });
        const double count = static_cast<double>(ends.size());
        const double step = std::min(port_step, (box_height - 6) / std::max(1.0, count - 1));
        for (std::size_t k = 0; k < ends.size(); ++k) {
          auto& [from, to] = ports_[ends[k].line];
          (ends[k].target ? to : from) = (static_cast<double>(k) - (count - 1) / 2) * step;
        }
      }
  }

  void line(std::size_t index) {
    const drawing::line& l = drawing_.lines[index];
    const drawing::box& to = at_box(l.to);
    if (l.from < 0) return from_nowhere(to);
    const drawing::box& from = at_box(l.from);
    const double side_from = on_right(l, l.from) ? 1 : -1, side_to = on_right(l, l.to) ? 1 : -1;
    const point a{centre(from.thread) + side_from * box_width_ / 2, middle(from.row) + ports_[index].first};
    const point b{centre(to.thread) + side_to * box_width_ / 2, middle(to.row) + ports_[index].second};
    if (apart(l) <= 1) {
      const double bow = apart(l) == 0 ? 48 : 34;
      const point c{a.x + side_from * bow, a.y}, d{b.x + side_to * bow, b.y};
      curve(l.what, "M" + at(a) + "C" + at(c) + " " + at(d) + " " + at(b));
      // Its name stands in the upper half, where no lane runs; that of a second line between the same boxes in the lower.
      const bool second =
          std::any_of(drawing_.lines.begin(), drawing_.lines.begin() + static_cast<std::ptrdiff_t>(index),
                      [&](const drawing::line& e) {
                        return (e.from == l.from && e.to == l.to) || (e.from == l.to && e.to == l.from);
                      });
      const bool level = apart(l) == 0 || from.row == to.row;
      const double t = level ? (second ? 0.3 : 0.5) : (from.row > to.row) != second ? 0.68 : 0.32;
      return label(l.what, on_curve(a, c, d, b, t));
    }
    // Over the boxes between: along a lane above the lower of the two rows, its name in the column next to the source.
    const unsigned lane = lanes_[gap(l)]++;
    const double y = middle(gap(l)) - box_height / 2 - 14 - lane_step * lane;
    const point over_a{a.x + side_from * 48, y}, over_b{b.x + side_to * 48, y};
    curve(l.what, "M" + at(a) + "C" + at({a.x + side_from * 30, a.y}) + " " + at({a.x + side_from * 20, y}) + " " +
                      at(over_a) + "L" + at(over_b) + "C" + at({b.x + side_to * 20, y}) + " " +
                      at({b.x + side_to * 30, b.y}) + " " + at(b));
    label(l.what, {centre(side_from > 0 ? from.thread + 1 : from.thread - 1) + (lane % 2 == 0 ? -30 : 0), y});
  }

  // The initial value: a short arrow from above.
  void from_nowhere(const drawing::box& to) {
    const point b{centre(to.thread) + box_width_ / 2 - 22, middle(to.row) - box_height / 2};
    const point a{b.x + 16, b.y - 24};
    curve(relation::rf, "M" + at(a) + "L" + at(b));
    labels_ += "<text x=\"" + number_text(a.x + 2) + "\" y=\"" + number_text(a.y + 2) + "\" font-size=\"11\" fill=\"" +
               colour(relation::rf) + "\">init</text>\n";
  }

  void curve(relation what, const std::string& path) {
    body_ += "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + colour(what) + "\" stroke-width=\"2\"" +
             (what == relation::race ? " stroke-dasharray=\"6 4\" marker-start=\"url(#race)\"" : "") +
             " marker-end=\"url(#" + litmus::text(what) + ")\"/>\n";
  }

  void label(relation what, point p) {
    const double w = 7.9 * static_cast<double>(std::string_view(litmus::text(what)).size()) + 8;
    labels_ += "<rect x=\"" + number_text(p.x - w / 2) + "\" y=\"" + number_text(p.y - 9) + "\" width=\"" +
               number_text(w) + "\" height=\"18\" rx=\"4\" fill=\"#ffffff\"/>\n<text x=\"" + number_text(p.x) +
               "\" y=\"" + number_text(p.y + 4.5) +
               "\" font-size=\"13\" font-weight=\"bold\" text-anchor=\"middle\" fill=\"" + colour(what) + "\">" +
               litmus::text(what) + "</text>\n";
  }

  void legend(double y) {
    double x = margin;
    for (const relation r : relations) {
      if (!drawn(r)) continue;
      body_ += "<path d=\"M" + at({x, y - 4}) + "L" + at({x + 30, y - 4}) + "\" stroke=\"" + colour(r) +
               "\" stroke-width=\"2\" marker-end=\"url(#" + litmus::text(r) + ")\"/>\n";
      words({x + 38, y}, std::string(litmus::text(r)) + " " + about(r), "font-size=\"12\" fill=\"#374151\"");
      x += legend_step(r);
    }
  }

  const drawing& drawing_;
  std::string body_, labels_;  // labels lie over all lines
  double box_width_ = 0, column_step_ = 0, width_ = 0, height_ = 0, left_ = 0;
  unsigned threads_ = 0, rows_ = 0;
  double header_ = 0, row_step_ = 0;
  std::vector<unsigned> lanes_;
  std::vector<std::pair<double, double>> ports_;  // by line: its height at either end
};

}  // namespace

std::string draw_svg(const program& p, const execution& x, std::string_view caption) {
  return picture(p, lay_out(p, x), caption).text();
}

}  // namespace acqrel::model::litmus
