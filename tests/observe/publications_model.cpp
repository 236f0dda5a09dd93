// A named source under the checker: its books have no edge of their own, a mutex orders them; what is checked is that the
// two ways to their end, and to a version's, meet in every order.
// SPDX-License-Identifier: Apache-2.0
#include "../reclaim/model_version.hpp"

#include <acqrel/observe/publications.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace {

using heart::begin;
using heart::gone;
constexpr auto asymmetric = acqrel::fence_mode::asymmetric;

struct config {
  explicit config(int n) : number(n) {}
  ~config() { gone[number] = true; }
  int number;
};
using source = acqrel::snapshot_source<config>;

// Who lets go last destroys the version, and notes it, while the other looks.
MODEL(publications, look_at_versions_that_live) {
  begin(asymmetric, 1);
  source current(acqrel::named{"config"}, std::make_unique<config>(0));
  std::thread reader([&] { EXPECT_FALSE(gone[current.read()->number]); });
  current.publish(std::make_unique<config>(1));
  const acqrel::publications now = acqrel::publications::now();
  EXPECT_EQ(now.sources.size(), 1u);
  EXPECT_EQ(now.sources[0].live, 1 + now.sources[0].waiting);
  EXPECT_GE(now.sources[0].live, 1u);
  reader.join();
  acqrel::drain();
  EXPECT_EQ(acqrel::publications::now().sources[0].live, 1u);
  EXPECT_TRUE(gone[0]);
}

// The source and a snapshot of its last version end at once: one of them ends the books, and nothing is used after.
MODEL(publications, end_once) {
  begin(asymmetric, 1);
  std::optional<source> current(std::in_place, acqrel::named{"config"}, std::make_unique<config>(0));
  std::thread holder([kept = current->get_snapshot()]() mutable { kept = nullptr; });
  current.reset();
  holder.join();
  acqrel::drain();
  EXPECT_TRUE(gone[0]);
  EXPECT_TRUE(acqrel::publications::now().sources.empty());
}

// The twin: the books' end decided by what was true under the lock a moment ago, twice or by nobody.
struct hasty_books {
  void leave(bool with_source) {
    {
      const std::lock_guard lock(mutex);
      (with_source ? ended : gone) = true;
    }
    if (ended && gone) ++ends;
  }
  std::mutex mutex;
  bool ended = false, gone = false;
  int ends = 0;
};
MODEL_FAILS(publications, twin_that_decides_after_the_lock, "data race") {
  hasty_books books;
  std::thread other([&] { books.leave(false); });
  books.leave(true);
  other.join();
}

}  // namespace
