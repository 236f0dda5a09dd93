// SPDX-License-Identifier: Apache-2.0
#include "flag_file.hpp"

#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

#include "diagnostic_text.hpp"
#include "text_file.hpp"

namespace flagserver {

flag_file::flag_file(std::string path, fractional_version fractional)
    : path_(std::move(path)),
      format_(format_of(path_)),
      fractional_(fractional),
      reloader_(path_, [this](std::string_view content) { return parse(content); },
                {.on_publish = [this](const flag_set& flags, std::uint64_t) { published(flags); },
                 .on_failure = [this](const acqrel::reload_failure& failure) { failed(failure); },
                 .on_recovery =
                     [this](std::uint64_t) {
                       spdlog::info("{} is valid again: revision {}, which stayed in use", path_, revision_);
                     }}) {}

std::string flag_file::problem() const {
  const acqrel::reload_status status = reloader_.status();
  return status.error ? status.error->message : std::string();
}

std::unique_ptr<flag_set> flag_file::parse(std::string_view content) {
  parse_result result = parse_flags(content, format_, fractional_, path_);
  report_ = describe(result.diagnostics, path_, content);
  if (!result.flags) throw std::runtime_error(first_error(result.diagnostics));
  return std::move(result.flags);
}

void flag_file::published(const flag_set& flags) {
  flag_digests now = digest(flags);
  if (revision_.empty())
    spdlog::info("loaded {}: {} flags, revision {}", path_, flags.size(), flags.revision());
  else
    spdlog::info("reloaded {}: {} flags, revision {} (was {}): {}", path_, flags.size(), flags.revision(), revision_,
                 describe_changes(in_use_, now));
  if (!report_.empty()) spdlog::warn("{} has warnings:\n{}", path_, report_);
  in_use_ = std::move(now);
  revision_ = flags.revision();
}

void flag_file::failed(const acqrel::reload_failure& failure) {
  const std::string consequence =
      revision_.empty() ? "not ready until it is" : "revision " + revision_ + " stays in use";
  if (failure.why == acqrel::reload_failure::cause::refused)
    spdlog::error("{} is not valid; {}:\n{}", path_, consequence, report_);
  else
    spdlog::error("{}; {}", failure.message, revision_.empty() ? "not ready until it can be read" : consequence);
}

}  // namespace flagserver
