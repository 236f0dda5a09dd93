// SPDX-License-Identifier: Apache-2.0
// What one client of a server may see whose file always has the same version number in every flag.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Follows the answers on one connection. Needs no threads, so that its own test needs none.
class version_checker {
 public:
  explicit version_checker(std::size_t flags) : flags_(flags) {}

  /// Takes the next answer to a bulk request; says what is wrong with it, or nothing.
  std::string bulk(std::string_view body) {
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(boost::json::string_view(body.data(), body.size()), error);
    if (error) return "not JSON: " + std::string(body);
    const boost::json::value* flags = parsed.is_object() ? parsed.as_object().if_contains("flags") : nullptr;
    if (flags == nullptr || !flags->is_array()) return "no flags: " + std::string(body);
    if (flags->as_array().size() != flags_) return "some flags are missing: " + std::string(body);
    const std::int64_t version = version_of(flags->as_array().front());
    for (const boost::json::value& flag : flags->as_array())
      if (version_of(flag) != version) return "two versions in one answer: " + std::string(body);
    return advance(version);
  }

  /// The same for the answer to a request for one flag.
  std::string single(std::string_view body) {
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(boost::json::string_view(body.data(), body.size()), error);
    if (error) return "not JSON: " + std::string(body);
    return advance(version_of(parsed));
  }

  std::int64_t latest() const noexcept { return latest_; }
  std::int64_t changes() const noexcept { return changes_; }

 private:
  static std::int64_t version_of(const boost::json::value& flag) {
    const boost::json::value* value = flag.is_object() ? flag.as_object().if_contains("value") : nullptr;
    return value != nullptr && value->is_int64() ? value->as_int64() : -1;
  }

  std::string advance(std::int64_t version) {
    if (version < 0) return "an answer without a version";
    if (version < latest_) return "version " + std::to_string(version) + " after " + std::to_string(latest_);
    changes_ += version > latest_;
    latest_ = version;
    return {};
  }

  std::size_t flags_;
  std::int64_t latest_ = 0;
  std::int64_t changes_ = 0;
};
