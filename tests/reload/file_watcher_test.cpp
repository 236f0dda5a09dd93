// SPDX-License-Identifier: Apache-2.0
// What a file can go through: each change must be called back, by inotify alone and by polling alone.
#include "watched.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using scratch::reader;
using scratch::relink;
using scratch::replace;
using scratch::write;

class file_watcher : public scratch::in_both_modes {};
INSTANTIATE_TEST_SUITE_P(, file_watcher, scratch::modes(),
                         [](const auto& mode) { return std::string(mode.param ? "inotify" : "polling"); });

// ---- semantics ----

TEST_P(file_watcher, works_in_the_mode_under_test) {
  write(file, "1");
  const reader watched(file, options());
  watched.expect("1", "the first look");
  EXPECT_EQ(watched.uses_inotify(), GetParam());
}

TEST_P(file_watcher, notices_writes_in_place) {
  write(file, "1");
  const reader watched(file, options());
  watched.expect("1", "the first look");
  write(file, "22");
  watched.expect("22", "a rewrite");
  std::ofstream(file, std::ios::app) << "3";
  watched.expect("223", "an append");
  fs::resize_file(file, 1);
  watched.expect("2", "a truncation");
  fs::resize_file(file, 0);
  watched.expect("", "a truncation to nothing");
}

TEST_P(file_watcher, notices_a_write_by_a_process_that_never_closes) {
  write(file, "1");
  const reader watched(file, options());
  watched.expect("1", "the first look");
  std::ofstream open(file, std::ios::app);
  open << "2" << std::flush;
  watched.expect("12", "a flush");
  open << "3" << std::flush;
  watched.expect("123", "another flush");
}

TEST_P(file_watcher, notices_a_write_through_another_hard_link) {
  write(file, "1");
  fs::create_hard_link(file, dir / "other");
  const reader watched(file, options());
  watched.expect("1", "the first look");
  write(dir / "other", "2");
  watched.expect("2", "a write by the other name");
}

TEST_P(file_watcher, notices_renames_over_the_file) {
  write(file, "1");
  const reader watched(file, options());
  watched.expect("1", "the first look");
  for (int version = 2; version != 6; ++version) {
    replace(file, std::to_string(version));
    watched.expect(std::to_string(version), "a rename over the file");
  }
}

TEST_P(file_watcher, notices_a_rename_of_an_older_file) {  // H6
  write(file, "new");
  const reader watched(file, options());
  watched.expect("new", "the first look");
  replace(file, "old", 1'000'000'000);
  watched.expect("old", "a rollback to a file of 2001");
  replace(file, "older", 1);
  watched.expect("older", "a rollback to a file of 1970");
}

TEST_P(file_watcher, notices_a_file_of_equal_time_and_size) {  // H7
  replace(file, "aaaa", 1'700'000'000);
  const reader watched(file, options());
  watched.expect("aaaa", "the first look");
  replace(file, "bbbb", 1'700'000'000);
  watched.expect("bbbb", "a rename with equal time and size");
  write(file, "cccc");
  scratch::set_modified(file, 1'700'000'000);
  watched.expect("cccc", "a write in place, with the time set back");
}

TEST_P(file_watcher, is_not_blinded_by_a_stamp_in_the_future) {  // H9
  replace(file, "tomorrow", 4'000'000'000);
  const reader watched(file, options());
  watched.expect("tomorrow", "the first look");
  write(file, "today");
  watched.expect("today", "an edit stamped before the last");
}

TEST_P(file_watcher, notices_deletion_and_return) {  // H12
  write(file, "1");
  const reader watched(file, options());
  for (const std::string version : {"2", "3"}) {
    fs::remove(file);
    watched.expect("(none)", "a deletion");
    write(file, version);
    watched.expect(version, "a return");
  }
  fs::rename(file, dir / "aside");
  watched.expect("(none)", "a rename away");
  fs::rename(dir / "aside", file);
  watched.expect("3", "a rename back");
}

TEST_P(file_watcher, waits_for_a_file_and_parents_that_do_not_exist_yet) {
  const fs::path deep = dir / "a" / "b" / "c" / "flags.json";
  const reader watched(deep, options());
  watched.expect("(none)", "the first look");
  fs::create_directories(deep.parent_path());
  write(deep, "1");
  watched.expect("1", "an appearance");
  fs::remove_all(dir / "a");
  watched.expect("(none)", "the removal of the whole tree");
  fs::create_directories(deep.parent_path());
  replace(deep, "2");
  watched.expect("2", "another appearance");
}

TEST_P(file_watcher, notices_a_parent_that_is_replaced) {
  for (const char* name : {"one", "two"}) {
    fs::create_directories(dir / name / "inner");
    write(dir / name / "inner" / "flags.json", name);
  }
  const reader watched(dir / "one" / "inner" / "flags.json", options());
  watched.expect("one", "the first look");
  fs::rename(dir / "one", dir / "aside");
  watched.expect("(none)", "a rename of the grandparent");
  fs::rename(dir / "two", dir / "one");
  watched.expect("two", "another directory in its place");
}

TEST_P(file_watcher, takes_a_directory_in_the_files_place_for_a_missing_file) {
  write(file, "1");
  const reader watched(file, options());
  watched.expect("1", "the first look");
  fs::remove(file);
  fs::create_directory(file);
  watched.expect("(none)", "a directory in its place");
  fs::remove(file);
  write(file, "2");
  watched.expect("2", "the file back again");
}

TEST_P(file_watcher, takes_a_relative_path_from_where_it_started) {
  struct working_directory {
    fs::path before = fs::current_path();
    ~working_directory() { fs::current_path(before); }
  } const restore;
  fs::create_directory(dir / "here");
  write(dir / "here" / "flags.json", "1");
  fs::current_path(dir / "here");
  scratch::observed<std::string> content;
  acqrel::file_watcher watcher(
      "flags.json",
      [&] {
        content.change([&](std::string& seen) { seen = scratch::read(dir / "here" / "flags.json"); });
        return true;
      },
      options());
  EXPECT_TRUE(content.wait_until([](const std::string& seen) { return seen == "1"; }));
  fs::current_path("/");
  write(dir / "here" / "flags.json", "2");
  EXPECT_TRUE(content.wait_until([](const std::string& seen) { return seen == "2"; }));
}

// Oracle: the writer knows how long its own pause between two halves took. Shorter than `settle`, the first half must
// not have been reported; longer proves nothing, so it tries again.
TEST_P(file_watcher, does_not_report_the_first_half_of_a_write) {  // H10
  auto patient = options();
  patient.settle = 250ms;
  patient.settle_limit = 10s;
  write(file, "start\n");
  for (int attempt = 0; attempt != 20; ++attempt) {
    scratch::observed<std::vector<std::string>> seen;
    acqrel::file_watcher watcher(
        file.string(),
        [&] {
          seen.change([&](auto& all) { all.push_back(scratch::read(file)); });
          return true;
        },
        patient);
    ASSERT_TRUE(seen.wait_until([](const auto& all) { return !all.empty(); }));
    const auto start = std::chrono::steady_clock::now();
    std::ofstream open(file, std::ios::trunc);
    open << "first half\n" << std::flush;
    while (std::chrono::steady_clock::now() - start < 20ms) std::this_thread::yield();  // several polls long
    open << "second half\n" << std::flush;
    const auto took = std::chrono::steady_clock::now() - start;
    open.close();
    ASSERT_TRUE(seen.wait_until([](const auto& all) { return all.back() == "first half\nsecond half\n"; }));
    if (took >= patient.settle) continue;
    for (const auto& content : seen.get()) EXPECT_NE(content, "first half\n");
    return;
  }
  FAIL() << "this machine never wrote two lines within 250 ms";
}

// ---- stress ----

// Does everything above in random order. Oracle: whatever came before, the last content is noticed.
TEST_P(file_watcher, is_right_at_the_end_of_any_history) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
  write(dir / "target0", "t0");
  write(dir / "target1", "t1");
  const reader watched(file, options());
  for (int round = 0; round != 30; ++round) {
    const std::string version = "version " + std::to_string(round);
    for (unsigned left = below(12); left != 0; --left) {
      switch (below(6)) {
        case 0: write(file, version + "?"); break;
        case 1: replace(file, version + "!", below(2) == 0 ? 0 : 1'500'000'000); break;
        case 2: fs::remove(file); break;
        case 3: relink(file, "target" + std::to_string(below(2))); break;
        case 4: write(dir / "target0", version + "0"); break;
        case 5: replace(dir / "target1", version + "1"); break;
      }
    }
    if (below(2) == 0)
      replace(file, version);
    else
      write(file, version);
    watched.expect(version, "the last of a random history");
  }
}

// ---- twins: what is usually written instead ----

// Reloads when the modification time is newer, as most services do.
class newer_than_twin {
 public:
  explicit newer_than_twin(fs::path path) : path_(std::move(path)), seen_(scratch::modified(path_)) {}
  bool notices() {
    const auto now = scratch::modified(path_);
    if (now <= seen_) return false;
    seen_ = now;
    return true;
  }

 private:
  fs::path path_;
  std::time_t seen_;
};

TEST(file_watcher_twin, newer_than_misses_rollbacks_equal_stamps_and_all_after_a_future_stamp) {
  const scratch::directory dir;
  const fs::path file = dir / "flags.json";
  replace(file, "1", 1'700'000'000);
  newer_than_twin twin(file);
  replace(file, "2", 1'700'000'000);
  EXPECT_FALSE(twin.notices()) << "H7";
  replace(file, "3", 1'600'000'000);
  EXPECT_FALSE(twin.notices()) << "H6";
  replace(file, "4", 4'000'000'000);
  EXPECT_TRUE(twin.notices());
  write(file, "5");
  EXPECT_FALSE(twin.notices()) << "H9";
}

}  // namespace
