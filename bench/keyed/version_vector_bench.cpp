// SPDX-License-Identifier: Apache-2.0
// Versions of ten writers, of which half are a write apart.
#include <acqrel/keyed/version_vector.hpp>

#include <array>
#include <map>
#include <memory>

#include "bench/harness.hpp"

namespace bench {
namespace {

constexpr std::uint64_t writers = 10;

// The writers are known beforehand, and are the places of an array.
struct array {
  std::array<std::uint64_t, writers> counts{};
  void raise(std::uint64_t writer, std::uint64_t count) { counts[writer] = count; }
  static int compare(const array& a, const array& b) {
    bool less = false, more = false;
    for (std::size_t i = 0; i != writers; ++i) less |= a.counts[i]<b.counts[i], more |= a.counts[i]> b.counts[i];
    return less - more;
  }
  void merge(const array& other) {
    for (std::size_t i = 0; i != writers; ++i) counts[i] = std::max(counts[i], other.counts[i]);
  }
};
struct map {
  std::map<std::uint64_t, std::uint64_t> counts;
  void raise(std::uint64_t writer, std::uint64_t count) { counts[writer] = count; }
  static bool knows(const map& a, const map& b) {
    for (const auto& [writer, count] : b.counts) {
      const auto found = a.counts.find(writer);
      if (found == a.counts.end() || found->second < count) return false;
    }
    return true;
  }
  static int compare(const map& a, const map& b) { return knows(b, a) - knows(a, b); }
  void merge(const map& other) {
    for (const auto& [writer, count] : other.counts) counts[writer] = std::max(counts[writer], count);
  }
};
struct ours : acqrel::version_vector<std::uint64_t> {
  static int compare(const ours& a, const ours& b) { return (a <=> b) < 0 ? 1 : (a <=> b) > 0 ? -1 : 0; }
};

template <class Version>
void enter_version(const char* contender) {
  for (const bool merges : {false, true}) {
    enter({.type = "version_vector",
           .operation = merges ? "merge" : "compare",
           .contender = contender,
           .variation = "ten_writers"},
          [merges] {
            const auto two = std::make_shared<std::array<Version, 2>>();
            for (std::uint64_t n = 0; n != writers; ++n) {
              (*two)[0].raise(n, n + 1);
              (*two)[1].raise(n, n + 1 + n % 2);
            }
            return [two, merges](turn& now) {
              auto& [a, b] = *two;
              now.begin();
              std::uint64_t done = 0;
              do {
                for (int i = 0; i != 64; ++i, ++done) {
                  if (merges) {
                    a.merge(b);
                  } else {
                    keep(Version::compare(a, b));
                  }
                  asm volatile("" ::: "memory");
                }
              } while (now.running());
              now.end(done);
            };
          });
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_version<array>("floor: array, writers known");
  enter_version<map>("ref: std::map");
  enter_version<ours>("acqrel");
  for (const char* const operation : {"compare", "merge"})
    goal({.type = "version_vector",
          .operation = operation,
          .variation = "ten_writers",
          .contender = "acqrel",
          .against = "ref: std::map",
          .at_most = 0.5});
  return true;
}();

}  // namespace
}  // namespace bench
