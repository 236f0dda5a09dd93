// SPDX-License-Identifier: Apache-2.0
// What a reloader loads, keeps, refuses and reports.
#include "reloader_fixture.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using acqrel::deadline_after;
using acqrel::reload_failure;
using scratch::limits_reloader;
using scratch::patience;
using scratch::replace;
using scratch::write;

class reloader : public scratch::reloads_in_both_modes {};
INSTANTIATE_TEST_SUITE_P(, reloader, scratch::modes(),
                         [](const auto& mode) { return std::string(mode.param ? "inotify" : "polling"); });

// ---- semantics: loading ----

TEST_P(reloader, works_in_the_mode_under_test) {
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, {.watch = watch()});
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(current.notified_by_system(), GetParam());
}

TEST_P(reloader, has_loaded_when_it_is_constructed) {  // H1 G5
  write(file, limits_text(1, 5));
  const limits_reloader current(file, limits_parser::parse, {.watch = watch()});
  EXPECT_EQ(current.read()->size, 1);
  EXPECT_EQ(current.current()->seconds, 5);
  EXPECT_EQ(current.generation(), 1U);
  static_assert(std::is_const_v<std::remove_reference_t<decltype(*current.current())>>);
  EXPECT_FALSE(current.status().error.has_value());
}

TEST_P(reloader, gives_the_fallback_until_the_file_is_there) {  // H1 H3
  const limits_reloader current(file, limits_parser::parse, recording());
  EXPECT_EQ(size_in(current), 7);
  EXPECT_EQ(current.generation(), 0U) << "the fallback is no load";
  const messages reported = failed.get();
  ASSERT_EQ(reported.size(), 1U);
  EXPECT_EQ(reported[0], file.string() + ": cannot be read: it does not exist; create it, or correct the path");
  const auto status = current.status();
  EXPECT_EQ(status.error->why, reload_failure::cause::unreadable);
  EXPECT_FALSE(status.last_success.has_value());
  write(file, limits_text(1));
  EXPECT_TRUE(becomes(current, 1));
  EXPECT_FALSE(current.status().error.has_value());
}

TEST_P(reloader, is_visibly_empty_without_a_fallback) {  // H1
  const limits_reloader current(file, limits_parser::parse, {.watch = watch()});
  EXPECT_FALSE(current.read());
  EXPECT_FALSE(current.current());
  EXPECT_EQ(current.generation(), 0U);
  write(file, limits_text(1));
  EXPECT_TRUE(reaches(current, 1));
  EXPECT_TRUE(current.read());
}

TEST_P(reloader, tries_a_refused_first_content_again) {  // H3
  write(file, limits_text(1));
  std::atomic<int> tries{0};
  auto settings = recording();
  settings.watch.sweep_interval = 2ms;
  const limits_reloader current(
      file,
      [&](std::string_view text) {
        if (++tries < 4) throw std::runtime_error("the disk of secrets is not mounted");
        return limits_parser::parse(text);
      },
      std::move(settings));
  EXPECT_TRUE(becomes(current, 1)) << "the file never changed";
  EXPECT_EQ(failed.get(), messages{file.string() + ": the disk of secrets is not mounted"}) << "H4";
}

TEST_P(reloader, loads_an_unchanged_file_once) {  // H2
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, {.watch = watch()});
  for (int i = 0; i != 5; ++i) ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(current.status().loads, 1U);
  EXPECT_EQ(current.generation(), 1U);
}

TEST_P(reloader, publishes_nothing_for_a_touch_or_an_equal_content) {  // H11
  write(file, limits_text(1));
  std::atomic<int> events{0};
  limits_reloader current(file, limits_parser::parse,
                          {.on_publish = [&](const limits&, std::uint64_t) { ++events; }, .watch = watch()});
  const auto before = current.current();
  scratch::set_modified(file, 1'000'000'000);
  ASSERT_TRUE(current.reload_now());
  replace(file, limits_text(1));
  ASSERT_TRUE(current.reload_now());
  fs::remove(file);
  fs::create_symlink("elsewhere", file);
  write(dir / "elsewhere", limits_text(1));
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(events, 1);
  EXPECT_EQ(current.status().loads, 1U);
  EXPECT_EQ(current.current(), before) << "the very same version";
  write(file, limits_text(2));
  EXPECT_TRUE(becomes(current, 2)) << "and is not deaf";
}

TEST_P(reloader, says_when_a_failure_ends_without_a_new_version) {
  write(file, limits_text(1));
  scratch::observed<int> recovered;
  auto settings = recording();
  settings.on_recovery = [&](std::uint64_t generation) {
    recovered.change([&](int& n) { n += static_cast<int>(generation); });
  };
  limits_reloader current(file, limits_parser::parse, std::move(settings));
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(recovered.get(), 0) << "nothing had failed";
  replace(file, "{");
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(failed.get().size(), 1U);
  replace(file, limits_text(1));  // the edit is taken back
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(recovered.get(), 1);
  EXPECT_EQ(current.generation(), 1U);
  replace(file, "{");
  ASSERT_TRUE(current.reload_now());
  replace(file, limits_text(2));  // mended: the new version says so itself
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(recovered.get(), 1);
  EXPECT_EQ(current.generation(), 2U);
}

TEST_P(reloader, picks_up_rollbacks_equal_stamps_and_links) {  // H6 H7 H8 H9
  replace(file, limits_text(1), 1'700'000'000);
  const limits_reloader current(file, limits_parser::parse, {.watch = watch()});
  replace(file, limits_text(2), 1'600'000'000);
  EXPECT_TRUE(becomes(current, 2)) << "H6";
  replace(file, limits_text(3), 1'600'000'000);
  EXPECT_TRUE(becomes(current, 3)) << "H7";
  replace(file, limits_text(4), 4'000'000'000);
  write(file, limits_text(5));
  EXPECT_TRUE(becomes(current, 5)) << "H9";
  write(dir / "a", limits_text(6));
  write(dir / "b", limits_text(8));
  for (const char* target : {"a", "b", "a"}) {
    scratch::relink(file, target);
    EXPECT_TRUE(becomes(current, *target == 'a' ? 6 : 8)) << "H8";
  }
}

TEST_P(reloader, keeps_the_last_good_while_the_file_is_away) {  // H12
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, recording());
  fs::remove(file);
  ASSERT_TRUE(current.reload_now());
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(size_in(current), 1);
  EXPECT_EQ(failed.get().size(), 1U) << "H4";
  EXPECT_TRUE(current.status().error.has_value());
  write(file, limits_text(1));
  while (current.status().error) ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(current.generation(), 1U) << "the same content came back: no event";
  fs::remove(file);
  write(file, limits_text(2));
  EXPECT_TRUE(becomes(current, 2));
}

// ---- semantics: refusing ----

TEST_P(reloader, keeps_the_last_good_and_reports_each_distinct_failure_once) {  // H4
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, recording());
  const auto ask_often = [&] {
    for (int i = 0; i != 4; ++i) ASSERT_TRUE(current.reload_now());
  };
  replace(file, "{");
  ask_often();
  EXPECT_EQ(failed.get().size(), 1U);
  replace(file, "[]");
  ask_often();
  EXPECT_EQ(failed.get().size(), 2U);
  replace(file, "{");
  ask_often();
  EXPECT_EQ(failed.get().size(), 2U) << "known already";
  EXPECT_EQ(current.status().error->message, file.string() + ": offset 1: no '\"'") << "but it is the present one";
  EXPECT_EQ(size_in(current), 1);
  replace(file, limits_text(2));
  ask_often();
  EXPECT_FALSE(current.status().error.has_value());
  replace(file, "{");
  ask_often();
  EXPECT_EQ(failed.get().size(), 3U) << "news again after a success";
  EXPECT_EQ(current.status().failures, 3U);
  EXPECT_EQ(size_in(current), 2);
}

TEST_P(reloader, clears_the_error_when_the_good_content_returns) {
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, recording());
  replace(file, "bad");
  ASSERT_TRUE(current.reload_now());
  EXPECT_TRUE(current.status().error.has_value());
  replace(file, limits_text(1));
  ASSERT_TRUE(current.reload_now());
  EXPECT_FALSE(current.status().error.has_value());
  EXPECT_EQ(current.generation(), 1U);
}

TEST_P(reloader, publishes_nothing_that_validation_refuses) {  // H5
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, recording());
  const std::string bad[] = {"",
                             "{}",
                             "null",
                             "{\"size\": 2}",
                             "{\"size\": -5, \"timeout\": \"1s\"}",
                             "{\"size\": 99999999999, \"timeout\": \"1s\"}",
                             "{\"size\": 2, \"timeout\": 1}",
                             "{\"size\": 2, \"timeout\": \"1\"}",
                             "{\"size\": 2, \"timeout\": \"9000s\"}",
                             "{\"sise\": 2, \"timeout\": \"1s\"}",
                             "{\"size\": 2, \"timeout\": \"1s\", \"more\": 1}",
                             limits_text(2) + "x"};
  for (const auto& content : bad) {
    replace(file, content);
    ASSERT_TRUE(current.reload_now());
    const auto error = current.status().error;
    ASSERT_TRUE(error.has_value()) << content;
    EXPECT_EQ(error->why, reload_failure::cause::refused) << content;
    EXPECT_EQ(size_in(current), 1) << content;
  }
  EXPECT_EQ(failed.get().size(), std::size(bad));
}

TEST_P(reloader, never_publishes_a_prefix) {  // H10
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse, recording());
  const std::string next = limits_text(234567, 89);
  const std::size_t complete = next.size() - 1;  // the last byte is a newline
  for (std::size_t length = 0; length != complete; ++length) {
    if (length % 2 == 0)
      replace(file, next.substr(0, length));
    else
      write(file, next.substr(0, length));
    ASSERT_TRUE(current.reload_now());
    ASSERT_EQ(current.generation(), 1U) << "published " << next.substr(0, length);
    ASSERT_EQ(size_in(current), 1);
    ASSERT_TRUE(current.status().error.has_value());
  }
  replace(file, next.substr(0, complete));
  EXPECT_TRUE(becomes(current, 234567));
}

TEST_P(reloader, refuses_what_is_too_large_or_no_file) {
  write(file, limits_text(1));
  auto settings = recording();
  settings.size_limit = 64;
  limits_reloader current(file, limits_parser::parse, std::move(settings));
  EXPECT_EQ(size_in(current), 1);
  write(file, limits_text(2) + std::string(100, ' '));
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(current.status().error->message,
            file.string() + ": cannot be read: it has more than 64 bytes; make it smaller, or raise the size limit");
  fs::remove(file);
  fs::create_directory(file);
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(current.status().error->message, file.string() + ": cannot be read: it is a directory; name a file");
  fs::remove(file);
  ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
  ASSERT_TRUE(current.reload_now()) << "does not wait for a writer of the pipe";
  EXPECT_EQ(current.status().error->message, file.string() + ": cannot be read: it is not a regular file");
  EXPECT_EQ(size_in(current), 1);
}

TEST_P(reloader, survives_a_parser_that_throws_anything_or_returns_nothing) {  // H18
  write(file, "0");
  limits_reloader current(
      file,
      [](std::string_view text) -> std::unique_ptr<limits> {
        if (text == "0") throw 42;
        if (text == "1") return nullptr;
        if (text == "2") throw std::runtime_error("");
        return limits_parser::parse(text);
      },
      recording());
  replace(file, "1");
  ASSERT_TRUE(current.reload_now());
  replace(file, "2");
  ASSERT_TRUE(current.reload_now());
  const std::string name = file.string() + ": ";
  EXPECT_EQ(failed.get(),
            (messages{name + "the parser threw something that is no std::exception",
                      name + "the parser returned nothing", name + "the parser threw an exception without a text"}));
  replace(file, limits_text(3));
  EXPECT_TRUE(becomes(current, 3));
}

TEST_P(reloader, survives_hooks_that_throw) {  // H18
  write(file, limits_text(1));
  limits_reloader current(file, limits_parser::parse,
                          {.on_publish = [](const limits&, std::uint64_t) { throw std::runtime_error("published"); },
                           .on_failure = [](const reload_failure&) { throw 1; },
                           .watch = watch()});
  replace(file, "bad");
  ASSERT_TRUE(current.reload_now());
  replace(file, limits_text(2));
  EXPECT_TRUE(becomes(current, 2));
  ASSERT_TRUE(current.reload_now());
  EXPECT_EQ(current.status().hook_exceptions, 3U);
  EXPECT_EQ(current.generation(), 2U) << "what was published stays";
}

}  // namespace
