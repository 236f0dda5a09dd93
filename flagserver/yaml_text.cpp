// SPDX-License-Identifier: Apache-2.0
// yaml-cpp's events are put together here, and not its nodes: LoadAll() never ends for some broken texts, and an alias
// costs nothing this way, because values may share what they refer to.
#include "yaml_text.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <sstream>
#include <unordered_set>
#include <vector>

#include "value_builder.hpp"
#include "yaml_scalar.hpp"

namespace flagserver {

namespace {

// What is written out or compiled later follows every alias, so aliases of aliases count in full.
constexpr std::size_t max_values = 1'000'000;

struct yaml_failure {
  std::string message;
  YAML::Mark at;
};

/// yaml-cpp counts columns in bytes; people count characters. Marks come nearly in order and lines may be as long as
/// the text, so each is counted from the one before.
class column_counter {
 public:
  explicit column_counter(std::string_view text) noexcept : text_(text) {}

  place of(const YAML::Mark& mark) noexcept {
    if (mark.is_null()) return {};
    const auto at = std::min(static_cast<std::size_t>(mark.pos), text_.size());
    const auto line_start = at - std::min(static_cast<std::size_t>(mark.column), at);
    if (line_start != line_start_) {
      line_start_ = at_ = line_start;
      inside_ = 0;
    }
    if (at >= at_)
      inside_ += inside(at_, at);
    else
      inside_ -= inside(at, at_);
    at_ = at;
    return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(at - line_start - inside_ + 1)};
  }

 private:
  /// Bytes that do not begin a character.
  std::size_t inside(std::size_t from, std::size_t to) const noexcept {
    const std::string_view part = text_.substr(from, to - from);
    return static_cast<std::size_t>(
        std::count_if(part.begin(), part.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }));
  }

  std::string_view text_;
  std::size_t line_start_ = 0, at_ = 0, inside_ = 0;
};

class builder final : public YAML::EventHandler {
 public:
  builder(std::string_view text, arena& memory, std::size_t max_depth, source_map& places)
      : columns_(text), memory_(memory), places_(places), max_depth_(max_depth) {}

  bool has_document() const noexcept { return documents_ != 0; }
  value root() const noexcept { return root_.content; }
  place root_at() const noexcept { return root_at_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw yaml_failure{"more than one YAML document", mark};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) return take_key("null", false, mark);
    deliver(anchor, {}, mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw yaml_failure{"an alias inside of what it stands for", mark};
    const extent& named = found->second;
    if (!expects_key()) return deliver(0, named, mark);
    if (!named.content.is(kind::string)) throw yaml_failure{"a key must be a scalar", mark};
    take_key(named.content.string(), false, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const bool plain = tag == "?" || tag.empty();
    if (expects_key()) {
      if (anchor != 0) anchors_[anchor] = {value::of(memory_.copy(text))};
      return take_key(text, plain && text == "<<", mark);
    }
    const bool typed = tag.starts_with("tag:yaml.org,2002:") && !tag.ends_with(":str");
    extent scalar;
    if (const auto meant = plain || typed ? yaml_scalar(text) : std::nullopt)
      scalar.content = *meant;
    else if (plain && is_not_finite(text))
      throw yaml_failure{"infinities and .nan have no JSON form", mark};
    else
      scalar.content = value::of(memory_.copy(text));
    deliver(anchor, scalar, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(false, mark, anchor);
  }
  void OnSequenceEnd() override {
    close([this](frame& closed) { return make_array(closed.entries, memory_, &places_); });
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(true, mark, anchor);
  }
  void OnMapEnd() override {
    close([this](frame& closed) {
      // what stands in the map itself wins, and of what is merged the first
      std::unordered_set<std::string_view> keys;
      if (!closed.merged.empty()) {
        for (const loose_entry& each : closed.entries) keys.insert(each.entry.key);
      }
      for (const loose_entry& each : closed.merged) {
        if (keys.insert(each.entry.key).second) closed.entries.push_back(each);
      }
      return make_object(closed.entries, memory_, &places_);
    });
  }

 private:
  /// A value, with how much there is of it: how many values in all, and how many levels.
  struct extent {
    value content{};
    std::size_t values = 1, levels = 1;
  };

  struct frame {
    bool is_map;
    YAML::Mark mark;
    place at;
    YAML::anchor_t anchor;
    extent size{};
    bool has_key = false, merges = false;  // what waits for its value
    std::string_view key{};
    place key_at{};
    std::vector<loose_entry> entries{}, merged{};
  };

  bool expects_key() const noexcept { return !open_.empty() && open_.back().is_map && !open_.back().has_key; }

  void take_key(std::string_view key, bool merges, const YAML::Mark& mark) {
    frame& map = open_.back();
    map.has_key = true;
    map.merges = merges;
    map.key = memory_.copy(key);
    map.key_at = columns_.of(mark);
  }

  void open(bool is_map, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (expects_key()) throw yaml_failure{"a key must be a scalar", mark};
    check_depth(1, mark);
    open_.push_back({is_map, mark, columns_.of(mark), anchor});
  }

  template <class Make>
  void close(Make make) {
    frame closed = std::move(open_.back());
    open_.pop_back();
    closed.size.content = make(closed);
    deliver(closed.anchor, closed.size, closed.mark, closed.at);
  }

  void deliver(YAML::anchor_t anchor, const extent& made, const YAML::Mark& mark) {
    deliver(anchor, made, mark, columns_.of(mark));
  }

  void deliver(YAML::anchor_t anchor, const extent& made, const YAML::Mark& mark, place at) {
    if (anchor != 0) anchors_[anchor] = made;
    if (open_.empty()) {
      root_ = made;
      root_at_ = at;
      return;
    }
    check_depth(made.levels, mark);
    frame& into = open_.back();
    into.size.values += made.values;
    into.size.levels = std::max(into.size.levels, made.levels + 1);
    if (into.size.values > max_values) throw yaml_failure{"too many values: aliases may multiply them", mark};
    if (into.merges)
      merge(made.content, into, mark);
    else
      into.entries.push_back(
          {{into.key, made.content}, static_cast<std::uint32_t>(into.entries.size()), into.key_at, at});
    into.has_key = into.merges = false;
  }

  void check_depth(std::size_t levels, const YAML::Mark& mark) const {
    if (open_.size() + levels > max_depth_ + 1) {
      throw yaml_failure{"nested deeper than " + std::to_string(max_depth_) + " levels", mark};
    }
  }

  void merge(const value& from, frame& into, const YAML::Mark& mark) {
    if (from.is(kind::array)) {
      for (const value& each : from) {
        if (!each.is(kind::object)) throw yaml_failure{"<< merges a map or a list of maps", mark};
        merge(each, into, mark);
      }
      return;
    }
    if (!from.is(kind::object)) throw yaml_failure{"<< merges a map or a list of maps", mark};
    for (const member* m = from.members; m != from.members + from.size; ++m) {
      into.merged.push_back({*m, 0, places_.of_key(*m), places_.of_value(m->content)});
    }
  }

  column_counter columns_;
  arena& memory_;
  source_map& places_;
  std::size_t max_depth_;
  std::vector<frame> open_;
  std::map<YAML::anchor_t, extent> anchors_;
  extent root_;
  place root_at_;
  int documents_ = 0;
};

}  // namespace

text_error read_yaml(std::string_view text, arena& memory, std::size_t max_depth, value& out, source_map& places) {
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    builder built(text, memory, max_depth, places);
    while (parser.HandleNextDocument(built)) {
    }
    if (!built.has_document()) return {"empty: there is no YAML document", {1, 1}};
    out = built.root();
    places.put_value(&out, built.root_at());
    return {};
  } catch (const yaml_failure& failure) {
    return {failure.message, column_counter(text).of(failure.at)};
  } catch (const YAML::Exception& failure) {
    return {"not YAML: " + failure.msg, column_counter(text).of(failure.mark)};
  } catch (const limit_exceeded& limit) {
    return {limit.what, {}};
  }
}

}  // namespace flagserver
