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
//            Bench cached_reader/read.
// Model      tests/publish/cached_reader_test.cpp.
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

  /// The current version, or null if nothing is published. Valid until the next call of read() or
  /// release() on this reader.
  [[nodiscard]] const T* read() noexcept {
    // edge hazard.publish: acquire
    if (source_->cell_.current.load(std::memory_order_acquire) != held_.object_) [[unlikely]]
      refresh();
    return value_;
  }

  /// Lets go of the version held; the next read() fetches again.
  void release() noexcept {
    held_ = nullptr;
    value_ = nullptr;
  }

 private:
  // The address identifies the version: what held_ counts cannot be freed and made anew.
  [[gnu::cold, gnu::noinline]] void refresh() noexcept {
    held_ = source_->get_snapshot();
    value_ = held_.get();
  }

  const snapshot_source<T>* source_;
  snapshot_ptr<T> held_;
  const T* value_ = nullptr;
};

}  // namespace acqrel
