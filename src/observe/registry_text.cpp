// The text formats: https://prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics specification, 1.0.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/registry.hpp>

#include <charconv>
#include <cmath>

namespace acqrel {
namespace {

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  // Counts are written as whole numbers, which they are up to 2^53.
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<long long>(value))
                         : std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

// How many bytes of a character of UTF-8 are at `at`; 0: it is none.
std::size_t character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i != length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool surrogate_or_beyond = (first == 0xed && byte(1) >= 0xa0) || (first == 0xf4 && byte(1) >= 0x90);
  return overlong || surrogate_or_beyond ? 0 : length;
}

// Whoever reads the text refuses all of it for one byte that is not UTF-8: such a byte becomes U+FFFD.
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character(text, at);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (text[at] == '\\') {
      out += "\\\\";
    } else if (text[at] == '\n') {
      out += "\\n";
    } else if (text[at] == '"' && quotes) {
      out += "\\\"";
    } else {
      out += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return out;
}

std::string braces(const registry::labels& of, const char* more = nullptr, const std::string& value = {}) {
  std::string out;
  const auto add = [&](std::string_view label, std::string_view text) {
    out += out.empty() ? '{' : ',';
    out += label;
    out += "=\"";
    out += escaped(text, true);
    out += '"';
  };
  for (const auto& [label, text] : of) add(label, text);
  if (more != nullptr) add(more, value);
  return out.empty() ? out : out + '}';
}

// Base units that may end a name, https://prometheus.io/docs/practices/naming.
std::string_view unit(std::string_view name) {
  for (const std::string_view each :
       {"seconds", "bytes", "ratio", "celsius", "meters", "volts", "amperes", "joules", "grams"}) {
    if (name.size() > each.size() && name.ends_with(each) && name[name.size() - each.size() - 1] == '_') return each;
  }
  return {};
}

class text {
 public:
  explicit text(bool openmetrics) : openmetrics_(openmetrics) {}

  void add(const registry::family& one) {
    std::string name = one.name;
    if (openmetrics_ && one.kind == registry::kind::counter)
      name.resize(name.size() - std::string_view("_total").size());
    constexpr const char* kinds[] = {"counter", "gauge", "histogram"};
    out_ += "# HELP " + name + ' ' + escaped(one.help, openmetrics_) + '\n';
    out_ += "# TYPE " + name + ' ' + kinds[static_cast<int>(one.kind)] + '\n';
    if (openmetrics_ && !unit(name).empty()) out_ += "# UNIT " + name + ' ' + std::string(unit(name)) + '\n';
    for (const registry::series& each : one.series) {
      if (one.kind == registry::kind::histogram) {
        add_buckets(one.name, each);
      } else {
        out_ += one.name + braces(each.labels) + ' ' + number(each.value) + '\n';
      }
    }
  }
  std::string take() && { return openmetrics_ ? out_ + "# EOF\n" : out_; }

 private:
  void add_buckets(const std::string& name, const registry::series& of) {
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i != of.values.buckets.size(); ++i) {
      so_far += of.values.buckets[i];
      const std::string bound = i < of.values.bounds.size() ? bound_text(of.values.bounds[i]) : "+Inf";
      out_ += name + "_bucket" + braces(of.labels, "le", bound) + ' ' + std::to_string(so_far);
      if (openmetrics_ && i < of.values.examples.size() && of.values.examples[i]) {
        const histogram::example& last = *of.values.examples[i];
        out_ += " # " + (last.labels.empty() ? "{}" : braces(last.labels)) + ' ' + number(last.value);
      }
      out_ += '\n';
    }
    out_ += name + "_sum" + braces(of.labels) + ' ' + number(of.values.sum) + '\n';
    out_ += name + "_count" + braces(of.labels) + ' ' + std::to_string(of.values.count) + '\n';
  }
  // OpenMetrics writes the bound 1 as 1.0, so that all exporters agree on the label.
  std::string bound_text(double bound) const {
    const std::string plain = number(bound);
    return openmetrics_ && plain.find_first_of(".en") == plain.npos ? plain + ".0" : plain;
  }

  const bool openmetrics_;
  std::string out_;
};

std::string written(const std::vector<registry::family>& all, bool openmetrics) {
  text out(openmetrics);
  for (const registry::family& each : all) out.add(each);
  return std::move(out).take();
}

}  // namespace

std::string registry::prometheus() const { return written(read(), false); }
std::string registry::openmetrics() const { return written(read(), true); }

}  // namespace acqrel
