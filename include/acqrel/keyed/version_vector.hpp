// acqrel/keyed/version_vector.hpp - tells of two copies of a value which is older, or that they were changed apart.
//
//   acqrel::multi_value_register<std::string, int> here, there;   // a value that is kept in two places
//   here.write(1, "draft");                                       // by writer 1
//   there.merge(here);
//   here.write(1, "final");                                       // by two who both know "draft" only
//   there.write(2, "draft, signed");
//   if ((here.version() <=> there.version()) == std::partial_ordering::unordered) here.merge(there);   // changed apart
//   here.resolve(1, [](const auto& both) { return longest(both); });   // until somebody does, both are kept
//
// Publishes  nothing: plain values, to be published whole (publish/), sent and stored.
// Edges      none.
// Progress   no loop waits for anybody.
// Memory     a version: one array of a W and 8 bytes for each writer who ever wrote. A register: that, and the values.
// Threads    as std::vector: any number may read, a change needs exclusive access.
// Errors     std::overflow_error from a write after 2^64 - 1 by one writer. What W or V throws passes; a merge that throws
//            leaves the register as it was.
// Cost       compare and merge: one walk over both arrays. Bench version_vector/compare, version_vector/merge.
// Model      none: nothing is shared. tests/keyed/version_vector_test.cpp holds it to sets of all that was written.
// Not for    one place where all writers meet (publish/versioned counts there); more writers than one would send each time.
//
// A writer is whoever counts his own writes one by one: an id for each place that writes, or each thread; never used by two
// at a time, nor again after its counter was lost. Then n of writer w names one write, and a version all that is known.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace acqrel {

[[noreturn]] void throw_version_vector_overflow();

/// How many writes of each writer are known.
template <class W>
requires std::totally_ordered<W> && std::copyable<W>
class version_vector {
 public:
  using value_type = std::pair<W, std::uint64_t>;
  using const_iterator = typename std::vector<value_type>::const_iterator;

  version_vector() noexcept = default;
  /// In any order; of one writer the highest count stands.
  version_vector(std::initializer_list<value_type> counts) {
    for (const auto& [writer, count] : counts) raise(writer, count);
  }

  /// How many writes of this writer are known; 0 for one who is not.
  [[nodiscard]] std::uint64_t operator[](const W& writer) const {
    const auto at = find(writer);
    return at != counts_.end() && at->first == writer ? at->second : 0;
  }
  /// One more write of this writer. Returns its count.
  std::uint64_t increment(const W& writer);
  /// Knows of `count` writes of this writer then, or of more: to read from what was stored.
  void raise(const W& writer, std::uint64_t count);
  /// Knows then what either knew: the least version that is after both, or equal.
  void merge(const version_vector& other);

  /// less: a is before b, which knows all of a and more; greater: after; equivalent: equal; unordered: changed apart.
  friend std::partial_ordering operator<=>(const version_vector& a, const version_vector& b) { return compare(a, b); }
  friend bool operator==(const version_vector&, const version_vector&) = default;

  /// The writers who are known, with how many writes, in the order of W; none with 0.
  [[nodiscard]] const_iterator begin() const noexcept { return counts_.begin(); }
  [[nodiscard]] const_iterator end() const noexcept { return counts_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return counts_.size(); }

 private:
  [[nodiscard]] const_iterator find(const W& writer) const {
    return std::lower_bound(counts_.begin(), counts_.end(), writer,
                            [](const value_type& entry, const W& wanted) { return entry.first < wanted; });
  }
  static std::partial_ordering compare(const version_vector& a, const version_vector& b);

  std::vector<value_type> counts_;  // sorted by writer; no count is 0
};

/// A value that several places keep and change, each by itself, and merge when they meet. Whatever was written with knowledge
/// of a value replaces it everywhere; what was written apart stays side by side until somebody who knows both writes. Merging is
/// commutative, associative and idempotent: whoever has met, in whatever order, has the same.
template <class V, class W>
requires std::copyable<V> && std::copyable<W> && std::totally_ordered<W>
class multi_value_register {
 public:
  /// A value, and the write that made it.
  struct entry {
    W writer;
    std::uint64_t count;
    V value;
    friend bool operator==(const entry&, const entry&) = default;
  };

  /// What is known. Give it to write() later, to say what was known then.
  [[nodiscard]] const version_vector<W>& version() const noexcept { return version_; }
  /// None: nothing was written, or all is erased. One: the value. Several: written apart, in the order of writers and counts.
  [[nodiscard]] const std::vector<entry>& entries() const noexcept { return entries_; }
  /// The values of these.
  [[nodiscard]] std::vector<V> values() const {
    std::vector<V> all;
    for (const entry& each : entries_) all.push_back(each.value);
    return all;
  }

  /// By someone who knows all that is here: it alone stays.
  void write(const W& writer, V value) { change(writer, version_, &value); }
  /// By someone who read when version() was `known`: what came since stays beside it. True if something did.
  bool write(const W& writer, V value, const version_vector<W>& known) {
    change(writer, known, &value);
    return entries_.size() > 1;
  }
  /// What is known goes, everywhere, also where it has yet to arrive. A value that was written apart from this stays.
  void erase(const W& writer) { change(writer, version_, nullptr); }
  void erase(const W& writer, const version_vector<W>& known) { change(writer, known, nullptr); }
  /// Writes f(values()), if there are several. True if so.
  template <class F>
  bool resolve(const W& writer, F&& f) {
    if (entries_.size() < 2) return false;
    write(writer, std::forward<F>(f)(std::as_const(*this).values()));
    return true;
  }
  /// Knows then what either knew, and has what neither knew to be replaced. The other one's writers are other writers.
  void merge(const multi_value_register& other);
  friend bool operator==(const multi_value_register&, const multi_value_register&) = default;

 private:
  void change(const W& writer, const version_vector<W>& known, V* value);
  static bool before(const entry& a, const entry& b) {
    return a.writer < b.writer || (!(b.writer < a.writer) && a.count < b.count);
  }

  version_vector<W> version_;   // of all writes that are known; those without an entry were replaced or erased
  std::vector<entry> entries_;  // sorted
};

// ------------------------------------------------------------------------ Implementation

template <class W>
requires std::totally_ordered<W> && std::copyable<W> std::uint64_t version_vector<W>::increment(const W& writer) {
  const std::uint64_t count = (*this)[writer];
  if (count == UINT64_MAX) throw_version_vector_overflow();
  raise(writer, count + 1);
  return count + 1;
}

template <class W>
requires std::totally_ordered<W> && std::copyable<W>
void version_vector<W>::raise(const W& writer, std::uint64_t count) {
  if (count == 0) return;
  const auto at = counts_.begin() + (find(writer) - counts_.cbegin());
  if (at == counts_.end() || at->first != writer)
    counts_.emplace(at, writer, count);
  else
    at->second = std::max(at->second, count);
}

template <class W>
requires std::totally_ordered<W> && std::copyable<W>
void version_vector<W>::merge(const version_vector& other) {
  std::vector<value_type> all;
  all.reserve(counts_.size() + other.counts_.size());
  auto a = counts_.begin();
  for (const value_type& theirs : other.counts_) {
    while (a != counts_.end() && a->first < theirs.first) all.push_back(*a++);
    all.push_back(theirs);
    if (a != counts_.end() && a->first == theirs.first) all.back().second = std::max(theirs.second, a++->second);
  }
  all.insert(all.end(), a, counts_.end());
  counts_ = std::move(all);
}

template <class W>
requires std::totally_ordered<W> && std::copyable<W> std::partial_ordering version_vector<W>::compare(
    const version_vector& a, const version_vector& b) {
  bool a_has_more = a.size() > b.size(), b_has_more = b.size() > a.size();
  auto left = a.begin(), right = b.begin();
  while (left != a.end() && right != b.end() && !(a_has_more && b_has_more)) {
    if (left->first == right->first) {
      a_has_more |= left->second > right->second;
      b_has_more |= left++->second < right++->second;
    } else if (left->first < right->first) {
      a_has_more = true, ++left;
    } else {
      b_has_more = true, ++right;
    }
  }
  a_has_more |= left != a.end();
  b_has_more |= right != b.end();
  if (a_has_more) return b_has_more ? std::partial_ordering::unordered : std::partial_ordering::greater;
  return b_has_more ? std::partial_ordering::less : std::partial_ordering::equivalent;
}

// `value` is null to erase. `known` may be version_.
template <class V, class W>
requires std::copyable<V> && std::copyable<W> && std::totally_ordered<W>
void multi_value_register<V, W>::change(const W& writer, const version_vector<W>& known, V* value) {
  std::vector<entry> after;
  for (const entry& each : entries_)
    if (known[each.writer] < each.count) after.push_back(each);
  version_vector<W> version = version_;
  version.merge(known);
  const std::uint64_t count = version.increment(writer);
  if (value != nullptr) {
    entry made{writer, count, std::move(*value)};
    after.insert(std::upper_bound(after.begin(), after.end(), made, before), std::move(made));
  }
  version_ = std::move(version);
  entries_ = std::move(after);
}

template <class V, class W>
requires std::copyable<V> && std::copyable<W> && std::totally_ordered<W>
void multi_value_register<V, W>::merge(const multi_value_register& other) {
  std::vector<entry> all;
  const auto is_in = [](const entry& wanted, const std::vector<entry>& where) {
    return std::binary_search(where.begin(), where.end(), wanted, before);
  };
  for (const entry& each : entries_)
    if (is_in(each, other.entries_) || other.version_[each.writer] < each.count) all.push_back(each);
  for (const entry& each : other.entries_)
    if (version_[each.writer] < each.count) all.insert(std::upper_bound(all.begin(), all.end(), each, before), each);
  version_vector<W> version = version_;
  version.merge(other.version_);
  version_ = std::move(version);
  entries_ = std::move(all);
}

}  // namespace acqrel
