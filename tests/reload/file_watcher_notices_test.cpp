// SPDX-License-Identifier: Apache-2.0
// A system that refuses notices, or loses them.
#include "scratch.hpp"

#include <acqrel/reload/file_watcher.hpp>

#include <gtest/gtest.h>

#if defined(__linux__)

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using acqrel::file_watcher;
using scratch::write;

// How the system behaves towards the watchers of this program: see the functions at the end of this file.
enum class notices { given, no_instances, no_watches, silent };
std::atomic<notices> system_gives{notices::given};
// How often a watcher has read from its file.
std::atomic<int> reads{0};

class file_watcher_notices : public testing::Test {
 protected:
  file_watcher_notices() { write(file, "1"); }
  ~file_watcher_notices() override { system_gives = notices::given; }

  // A callback that reads the file.
  auto reading() {
    return [this] {
      content.change([&](std::string& seen) { seen = scratch::read(file); });
      return true;
    };
  }
  bool sees(const std::string& wanted) {
    return content.wait_until([&](const std::string& seen) { return seen == wanted; });
  }

  scratch::directory dir;
  const fs::path file = dir / "flags.json";
  scratch::observed<std::string> content;
};

// ---- semantics ----

TEST_F(file_watcher_notices, polls_while_the_system_has_no_inotify_instance_to_give) {
  system_gives = notices::no_instances;
  file_watcher watcher(file.string(), reading(), {.poll_interval = 2ms, .sweep_interval = 1h, .settle = 1ms});
  ASSERT_TRUE(sees("1"));
  EXPECT_FALSE(watcher.notified_by_system());
  write(file, "2");
  EXPECT_TRUE(sees("2"));
  system_gives = notices::given;
  while (!watcher.notified_by_system()) std::this_thread::yield();  // it tries again at each poll
  write(file, "3");
  EXPECT_TRUE(sees("3"));
}

TEST_F(file_watcher_notices, polls_when_the_limit_of_watches_is_reached) {
  system_gives = notices::no_watches;
  file_watcher watcher(file.string(), reading(), {.poll_interval = 2ms, .sweep_interval = 1h, .settle = 1ms});
  ASSERT_TRUE(sees("1"));
  EXPECT_FALSE(watcher.notified_by_system());
  write(file, "2");
  EXPECT_TRUE(sees("2"));
}

TEST_F(file_watcher_notices, sweeps_file_systems_on_which_inotify_reports_nothing) {
  system_gives = notices::silent;
  file_watcher watcher(file.string(), reading(), {.poll_interval = 1h, .sweep_interval = 2ms, .settle = 1ms});
  ASSERT_TRUE(sees("1"));
  EXPECT_TRUE(watcher.notified_by_system()) << "it cannot know";
  write(file, "2");
  EXPECT_TRUE(sees("2"));
}

// Fills the kernel's queue while the callback holds the watcher's thread, then changes the file: that notice is dropped.
// Only the overflow itself tells the watcher to look; the sweep is an hour away.
TEST_F(file_watcher_notices, do_not_make_it_look_when_only_neighbours_change) {
  file_watcher watcher(file.string(), reading(), {.poll_interval = 1h, .sweep_interval = 1h});
  ASSERT_TRUE(watcher.check_and_wait());
  const int before = reads;
  for (int i = 0; i != 50; ++i) {
    write(dir / "neighbour", std::to_string(i));
    fs::rename(dir / "neighbour", dir / "moved");
    std::this_thread::sleep_for(1ms);  // so that each could be noticed by itself
  }
  EXPECT_EQ(reads, before);
  write(file, "2");
  EXPECT_TRUE(sees("2")) << "and is not deaf";
}

TEST_F(file_watcher_notices, looks_at_everything_after_the_kernels_queue_overflowed) {
  std::size_t capacity = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> capacity;
  ASSERT_GT(capacity, 0U);
  ASSERT_LE(capacity, 1U << 20) << "this system's queue is too long to fill in a test";
  std::atomic<bool> hold{true};
  file_watcher watcher(file.string(),
                       [&] {
                         content.change([&](std::string& seen) { seen = scratch::read(file); });
                         while (hold) std::this_thread::yield();
                         return true;
                       },
                       {.poll_interval = 1h, .sweep_interval = 1h});
  ASSERT_TRUE(sees("1"));
  const fs::path a = dir / "a", b = dir / "b";
  write(a, "");
  for (std::size_t events = 0; events <= capacity; events += 4) {  // two for each rename; equal neighbours would merge
    fs::rename(a, b);
    fs::rename(b, a);
  }
  scratch::replace(file, "after the overflow");
  hold = false;
  EXPECT_TRUE(sees("after the overflow"));
  write(file, "and later");
  EXPECT_TRUE(sees("and later"));
}

}  // namespace

// The program's own definitions come before the C library's also for the calls of libacqrel.
extern "C" int inotify_init1(int flags) noexcept {
  switch (system_gives.load()) {
    case notices::no_instances: errno = EMFILE; return -1;
    case notices::silent: return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    case notices::given:
    case notices::no_watches: break;
  }
  return static_cast<int>(syscall(SYS_inotify_init1, flags));
}

extern "C" ssize_t pread(int fd, void* to, size_t size, off_t offset) {
  ++reads;
  return syscall(SYS_pread64, fd, to, size, offset);
}

extern "C" int inotify_add_watch(int fd, const char* path, uint32_t mask) noexcept {
  switch (system_gives.load()) {
    case notices::no_watches: errno = ENOSPC; return -1;
    case notices::silent: return 1;
    case notices::given:
    case notices::no_instances: break;
  }
  return static_cast<int>(syscall(SYS_inotify_add_watch, fd, path, mask));
}
#endif
