// SPDX-License-Identifier: Apache-2.0
// bench/publish/acqrel.hpp - this library as contenders.
#pragma once

#include "bench/publish/contest.hpp"
#include "bench/publish/values.hpp"

#include <acqrel/publish/cached_reader.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <cstdint>
#include <memory>

namespace bench {

template <class T>
struct acqrel_emplace {
  acqrel_emplace() { source.emplace(std::uint64_t{1}); }
  ~acqrel_emplace() { acqrel::drain(); }
  acqrel_emplace(const acqrel_emplace&) = delete;
  acqrel_emplace& operator=(const acqrel_emplace&) = delete;
  struct reader_of_one {
    [[gnu::always_inline]] acqrel::snapshot_guard<T> read() const { return source->read(); }
    const acqrel::snapshot_source<T>* source;
  };
  struct session {
    explicit session(acqrel_emplace& contender) : all(contender) {}
    reader_of_one reader() { return {&all.source}; }
    void publish(std::uint64_t number) { all.source.emplace(number); }
    void quiesce() {}
    acqrel_emplace& all;
  };
  acqrel::snapshot_source<T> source;
};

template <class T>
void drain(acqrel_emplace<T>&, typename acqrel_emplace<T>::session&) {
  acqrel::drain();
}

/// publish() adopts what the caller allocated; its header is a second allocation.
template <class T>
struct acqrel_publish : acqrel_emplace<T> {
  struct session : acqrel_emplace<T>::session {
    using acqrel_emplace<T>::session::session;
    void publish(std::uint64_t number) { this->all.source.publish(std::make_unique<T>(number)); }
  };
};

template <class T>
struct acqrel_snapshot : acqrel_publish<T> {
  struct reader_of_one {
    [[gnu::always_inline]] acqrel::snapshot_ptr<T> read() const { return source->get_snapshot(); }
    const acqrel::snapshot_source<T>* source;
  };
  struct session : acqrel_publish<T>::session {
    using acqrel_publish<T>::session::session;
    reader_of_one reader() { return {&this->all.source}; }
  };
};

template <class T>
struct acqrel_cached : acqrel_publish<T> {
  struct session : acqrel_publish<T>::session {
    using acqrel_publish<T>::session::session;
    static constexpr std::uint64_t reads_in_batch = 16384;  // each begins with a new reader, which fetches
    acqrel::cached_reader<T> reader() { return acqrel::cached_reader<T>(this->all.source); }
  };
};

}  // namespace bench
