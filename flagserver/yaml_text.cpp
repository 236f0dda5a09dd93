// SPDX-License-Identifier: Apache-2.0
#include "yaml_text.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "value_builder.hpp"

namespace flagserver {

namespace {

constexpr std::size_t max_nodes = 1'000'000;  // aliases of aliases multiply without bound

/// yaml-cpp counts columns in bytes; people count characters.
place place_of(const YAML::Mark& mark, std::string_view text) noexcept {
  if (mark.is_null()) return {};
  const auto end = std::min(static_cast<std::size_t>(mark.pos), text.size());
  const auto bytes = std::min(static_cast<std::size_t>(mark.column), end);
  const std::string_view before = text.substr(end - bytes, bytes);
  const auto inside = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  const auto column = mark.column + 1 - static_cast<int>(std::count_if(before.begin(), before.end(), inside));
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(column)};
}

struct yaml_failure {
  std::string message;
  YAML::Mark at;
};

std::optional<value> whole_number(std::string_view text) {
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = text[1] | 0x20;
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!negative) return value::of(magnitude);
  if (magnitude <= std::uint64_t{1} << 63) return value::of(static_cast<std::int64_t>(0 - magnitude));
  return std::nullopt;
}

std::optional<value> decimal_number(std::string_view text) {
  if (text.front() == '+') text.remove_prefix(1);
  const std::size_t sign = !text.empty() && text.front() == '-' ? 1 : 0;
  if (text.find_first_not_of("0123456789.eE+-", sign) != std::string_view::npos) return std::nullopt;  // inf, nan
  double d = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value::of(d);
}

std::optional<value> number_in(const std::string& scalar) {
  const char first = scalar.front();
  if (!(first >= '0' && first <= '9') && first != '-' && first != '+' && first != '.') return std::nullopt;
  std::string text = scalar;
  text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
  if (text.empty()) return std::nullopt;
  if (const auto whole = whole_number(text)) return whole;
  return decimal_number(text);
}

class converter {
 public:
  converter(std::string_view text, arena& memory, std::size_t max_depth, source_map& places)
      : text_(text), memory_(memory), places_(places), max_depth_(max_depth) {}

  value convert(const YAML::Node& node, std::size_t depth) {
    if (depth > max_depth_)
      throw yaml_failure{"nested deeper than " + std::to_string(max_depth_) + " levels", node.Mark()};
    if (++nodes_ > max_nodes) throw yaml_failure{"too many values: aliases may multiply them", node.Mark()};
    switch (node.Type()) {
      case YAML::NodeType::Scalar: return scalar(node);
      case YAML::NodeType::Sequence: return sequence(node, depth);
      case YAML::NodeType::Map: return map(node, depth);
      default: return {};
    }
  }

 private:
  value scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    const bool plain = node.Tag() == "?" || node.Tag().empty();
    const bool typed = node.Tag().starts_with("tag:yaml.org,2002:") && !node.Tag().ends_with(":str");
    if (!plain && !typed) return value::of(memory_.copy(text));
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
    if (text == "true" || text == "True" || text == "TRUE") return value::of(true);
    if (text == "false" || text == "False" || text == "FALSE") return value::of(false);
    if (const auto number = number_in(text)) return *number;
    constexpr std::string_view not_json[] = {".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf", "+.INF",
                                             "-.inf", "-.Inf", "-.INF", ".nan",  ".NaN",  ".NAN"};
    if (std::find(std::begin(not_json), std::end(not_json), text) != std::end(not_json)) {
      throw yaml_failure{"infinities and .nan have no JSON form", node.Mark()};
    }
    return value::of(memory_.copy(text));
  }

  value sequence(const YAML::Node& node, std::size_t depth) {
    std::vector<loose_entry> entries;
    for (const YAML::Node& item : node) entries.push_back({{{}, convert(item, depth + 1)}, 0, {}, at(item)});
    return make_array(entries, memory_, &places_);
  }

  value map(const YAML::Node& node, std::size_t depth) {
    std::vector<loose_entry> entries, merged;
    std::uint32_t order = 0;
    for (const auto& pair : node) {
      if (!pair.first.IsScalar() && !pair.first.IsNull())
        throw yaml_failure{"a key must be a scalar", pair.first.Mark()};
      const bool merges = pair.first.IsScalar() && pair.first.Tag() == "?" && pair.first.Scalar() == "<<";
      if (merges) {
        merge(pair.second, depth, merged);
        continue;
      }
      const std::string_view key = memory_.copy(pair.first.IsNull() ? "null" : pair.first.Scalar());
      entries.push_back({{key, convert(pair.second, depth + 1)}, order++, at(pair.first), at(pair.second)});
    }
    // what stands in the map itself wins, and of what is merged the first
    for (const loose_entry& each : merged) {
      const auto same = [&](const loose_entry& other) { return other.entry.key == each.entry.key; };
      if (std::none_of(entries.begin(), entries.end(), same)) entries.push_back(each);
    }
    return make_object(entries, memory_, &places_);
  }

  void merge(const YAML::Node& from, std::size_t depth, std::vector<loose_entry>& merged) {
    if (from.IsSequence()) {
      for (const YAML::Node& each : from) merge(each, depth + 1, merged);
      return;
    }
    if (!from.IsMap() || depth > max_depth_) throw yaml_failure{"<< merges a map or a list of maps", from.Mark()};
    const value source = map(from, depth + 1);
    for (const member* m = source.members; m != source.members + source.size; ++m) {
      merged.push_back({*m, 0, places_.of_key(*m), places_.of_value(m->content)});
    }
  }

  place at(const YAML::Node& node) const { return place_of(node.Mark(), text_); }

  std::string_view text_;
  arena& memory_;
  source_map& places_;
  std::size_t max_depth_;
  std::size_t nodes_ = 0;
};

}  // namespace

text_error read_yaml(std::string_view text, arena& memory, std::size_t max_depth, value& out, source_map& places) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return {"empty: there is no YAML document", {1, 1}};
    if (documents.size() > 1) return {"more than one YAML document", place_of(documents[1].Mark(), text)};
    out = converter(text, memory, max_depth, places).convert(documents[0], 1);
    places.put_value(&out, place_of(documents[0].Mark(), text));
    return {};
  } catch (const yaml_failure& failure) {
    return {failure.message, place_of(failure.at, text)};
  } catch (const YAML::Exception& failure) {
    return {"not YAML: " + failure.msg, place_of(failure.mark, text)};
  } catch (const limit_exceeded& limit) {
    return {limit.what, {}};
  }
}

}  // namespace flagserver
