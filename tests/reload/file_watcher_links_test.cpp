// SPDX-License-Identifier: Apache-2.0
// A path that leads through symbolic links: a swap of any of them changes the content behind it.
#include "watched.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>

namespace {

namespace fs = std::filesystem;
using scratch::reader;
using scratch::relink;
using scratch::replace;
using scratch::write;

class file_watcher_links : public scratch::in_both_modes {};
INSTANTIATE_TEST_SUITE_P(, file_watcher_links, scratch::modes(),
                         [](const auto& mode) { return std::string(mode.param ? "inotify" : "polling"); });

// ---- semantics ----

TEST_P(file_watcher_links, notices_a_symbolic_link_swapped_in_both_directions) {  // H8
  write(dir / "v1", "1");
  write(dir / "v2", "2");
  fs::create_symlink("v1", file);
  const reader watched(file, options());
  watched.expect("1", "the first look");
  relink(file, "v2");
  watched.expect("2", "a swap forward");
  relink(file, "v1");
  watched.expect("1", "a swap back");
  fs::remove(file);
  fs::create_symlink(dir / "v2", file);
  watched.expect("2", "a link removed and made again, absolute");
  write(dir / "v2", "3");
  watched.expect("3", "a write to the target");
}

TEST_P(file_watcher_links, follows_every_link_of_a_chain) {
  fs::create_directories(dir / "data" / "x");
  fs::create_directories(dir / "data" / "y");
  write(dir / "data" / "x" / "flags.json", "x");
  write(dir / "data" / "y" / "flags.json", "y");
  fs::create_symlink("data/x", dir / "hop");
  fs::create_symlink("data/../hop/./flags.json", dir / "link");
  fs::create_symlink(dir / "link", file);
  const reader watched(file, options());
  watched.expect("x", "the first look");
  relink(dir / "hop", "data/y");
  watched.expect("y", "a swap in the middle of the chain");
  replace(dir / "data" / "y" / "flags.json", "z");
  watched.expect("z", "a rename at its end");
  fs::remove(dir / "link");
  watched.expect("(none)", "a broken chain");
  fs::create_symlink("data/x/flags.json", dir / "link");
  watched.expect("x", "a mended chain");
}

TEST_P(file_watcher_links, survives_a_circle_of_links) {
  fs::create_symlink("flags.json", file);
  const reader watched(file, options());
  watched.expect("(none)", "the first look");
  replace(file, "out");
  watched.expect("out", "the end of the circle");
}

// As kubelet mounts a ConfigMap: flags.json -> ..data/flags.json, ..data -> ..1 and swapped by rename.
class config_map {
 public:
  explicit config_map(fs::path mount) : mount_(std::move(mount)) {
    fs::create_directories(mount_);
    fs::create_symlink("..data/flags.json", mount_ / "flags.json");
  }
  void put(const std::string& revision, const std::string& content) const {
    fs::create_directories(mount_ / ("..rev_" + revision));
    write(mount_ / ("..rev_" + revision) / "flags.json", content);
  }
  void show(const std::string& revision) const {
    fs::create_symlink("..rev_" + revision, mount_ / "..data_tmp");
    fs::rename(mount_ / "..data_tmp", mount_ / "..data");
  }
  void drop(const std::string& revision) const { fs::remove_all(mount_ / ("..rev_" + revision)); }

 private:
  fs::path mount_;
};

TEST_P(file_watcher_links, follows_a_config_map_forward_and_back) {  // H8
  const config_map map(dir / "mount");
  map.put("1", "one");
  map.show("1");
  const reader watched(dir / "mount" / "flags.json", options());
  watched.expect("one", "the first look");
  map.put("2", "two");
  map.show("2");
  watched.expect("two", "an update");
  map.show("1");
  watched.expect("one", "a rollback");
  map.show("2");
  map.drop("1");
  watched.expect("two", "an update that removes what was shown before");
  map.put("3", "three");
  map.show("3");
  map.drop("2");
  watched.expect("three", "another");
}

}  // namespace
