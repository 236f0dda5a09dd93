// acqrel/publish/cached_reader.hpp - one thread's reader of a snapshot_source, for hot loops.
//
//   acqrel::cached_reader<config> reader{current};   // one for each thread, kept for long
//   while (const request* r = next()) {
//     handle(*r, reader.read()->limit);              // one load and a compare while nothing changes
//   }
//
// Publishes  nothing.
// Edges      none of its own: publish() -> read() is hazard.publish, see reclaim/hazard.hpp
// Progress   read() wait-free.
// Memory     3 words, and the version last read, which stays alive until the next read() that
//            finds another, or release().
// Threads    one thread at a time; the source must outlive the reader's use.
// Errors     none.
// Cost       one acquire load and a compare; one get_snapshot for each new version.
//            Bench snapshot_source/cached_read.
// Model      tests/publish/snapshot_source_model.cpp.
// Not for    threads that are mostly idle (they keep an old version: release() before waiting).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/publish/snapshot_source.hpp>

namespace acqrel {

template <class T>
class cached_reader {
 public:
  explicit cached_reader(const snapshot_source<T>& source) noexcept : source_(&source) {}
  cached_reader(const cached_reader&) = delete;
  cached_reader& operator=(const cached_reader&) = delete;
  ~cached_reader() { release(); }

  /// The current version, or null if nothing is published. Valid until the next call of read() or
  /// release() on this reader.
  [[nodiscard]] const T* read() noexcept {
    // edge hazard.publish: acquire
    if (source_->cell_.current.load(std::memory_order_acquire) != held_.object) [[unlikely]]
      held_ = renewed(*source_, held_);
    return held_.value;
  }

  /// Lets go of the version held; the next read() fetches again.
  void release() noexcept { drop(std::exchange(held_, version{})); }

 private:
  // The address identifies the version: what is counted cannot be freed and made anew.
  struct version {
    hazard_object* object = &hazard_nothing;  // owns one reference, but of hazard_nothing
    const T* value = nullptr;
  };
  static void drop(version old) noexcept {
    if (old.object != &hazard_nothing) old.object->drop_reference();
  }
  // Takes and returns two words by value, so that a reader in a loop can live in registers.
  [[gnu::cold, gnu::noinline]] static version renewed(const snapshot_source<T>& source, version old) noexcept {
    snapshot_ptr<T> now = source.get_snapshot();
    drop(old);
    const T* const value = now.get();
    return {std::exchange(now.object_, &hazard_nothing), value};
  }

  const snapshot_source<T>* source_;
  version held_;
};

}  // namespace acqrel
