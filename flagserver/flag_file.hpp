// SPDX-License-Identifier: Apache-2.0
// flagserver/flag_file.hpp - the flags of one file, followed: every good version is published, the last good one stays.
//
// Logs each reload with what it changed, and each distinct failure once, with its place in the file.
#pragma once

#include <acqrel/reload/reloader.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "flag_changes.hpp"
#include "flag_set.hpp"

namespace flagserver {

class flag_file {
 public:
  /// Loads `path` on this thread, then follows it. A file that is missing or wrong is logged and waited for.
  flag_file(std::string path, fractional_version fractional);

  const acqrel::snapshot_source<flag_set>& flags() const noexcept { return reloader_.source(); }
  /// Why the file's present content is not in use, or empty. Any thread.
  std::string problem() const;
  /// Reads the file again, also if it did not change.
  void request_reload() noexcept { reloader_.request_reload(); }
  void stop() noexcept { reloader_.stop(); }

 private:
  std::unique_ptr<flag_set> parse(std::string_view content);
  void published(const flag_set& flags);
  void failed(const acqrel::reload_failure& failure);

  const std::string path_;
  const text_format format_;
  const fractional_version fractional_;

  // Only whoever runs the reloader's hooks: the constructor, then its thread.
  std::string report_;  // what the latest parse had to say, for people
  flag_digests in_use_;
  std::string revision_;

  acqrel::reloader<flag_set> reloader_;  // last: its thread ends before the rest dies
};

}  // namespace flagserver
