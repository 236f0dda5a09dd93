// What is known of each named source: its versions, from publish to end. observe/publications looks at it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/time_source.hpp>
#include <acqrel/publish/snapshot_source.hpp>

#include <mutex>
#include <string>

namespace acqrel {

struct published_version : hazard_object {
  published_version(publication& which, const void* value, std::size_t size) noexcept;

  bool is_current() const noexcept { return replaced == steady_deadline::max(); }

  publication& of;
  const std::size_t bytes;
  // The publication's mutex, from here on.
  published_version* next = nullptr;  // older
  published_version* previous = nullptr;
  std::uint64_t generation = 0;
  steady_deadline published;
  steady_deadline replaced = steady_deadline::max();  // max: it is current
};
static_assert(sizeof(published_version) == 88);

/// Lives until the source has ended, and its last version.
class publication {
 public:
  publication(const named& given, const published_type& how, void (*measure)());

  /// `next` has taken the place of `old`.
  void note(hazard_object* old, hazard_object* next) noexcept;
  /// Removes it; true: nothing is left.
  bool forget(published_version& version) noexcept;
  /// Out of the list, and out of memory.
  void end() noexcept;

  // All, newest first. The mutex of each may be taken under it.
  static constinit std::mutex all_mutex;
  static constinit publication* all;
  publication* next = nullptr;  // all_mutex

  const std::string name;
  time_source& time;
  const published_type& type;
  void (*const bytes)();

  std::mutex mutex;  // of all below, and of what the versions say
  bool ended = false;
  std::uint64_t publishes = 0;
  steady_deadline changed;              // the last publish, or the beginning
  published_version* newest = nullptr;  // of those that are not destroyed yet
};

}  // namespace acqrel
