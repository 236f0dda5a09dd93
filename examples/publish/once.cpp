// A log that the first message opens, and that is tried again while it cannot be opened.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/publish/once.hpp>

#include <cstdio>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;

constinit acqrel::once opened;
std::FILE* log_file = nullptr;

std::FILE* open_log() {
  static int tries = 0;  // no two run at a time
  if (++tries == 1) throw std::runtime_error("the disk is not there yet");
  return stdout;
}

void write(const char* line) {
  opened.call([] { log_file = open_log(); });  // any thread, any time: done when it returns
  std::fprintf(log_file, "%s\n", line);
}

bool write_soon(const char* line) {
  if (!opened.call_for(100ms, [] { log_file = open_log(); })) return false;  // another is still at it
  std::fprintf(log_file, "%s\n", line);
  return true;
}

}  // namespace

int main() {
  try {
    write("lost");
  } catch (const std::runtime_error& error) {
    std::printf("not written: %s\n", error.what());
  }
  std::thread other([] { write("from another thread"); });
  if (!write_soon("from main")) std::puts("busy");
  other.join();
}
