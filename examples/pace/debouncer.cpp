// An editor that saves when one pauses, and now and then if one does not.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/pace/debouncer.hpp>

#include <cstdio>
#include <string>

namespace {

using namespace std::chrono_literals;

void write(const std::string& text) { std::printf("saved: %s\n", text.c_str()); }

}  // namespace

int main() {
  acqrel::timer_queue timers;
  acqrel::debouncer<std::string> save(timers, 200ms, 2s, [](const std::string& text) { write(text); });
  save.trigger("d");
  save.trigger(
      "draft");  // any thread; write() runs once, 200 ms after the last trigger, 2 s after the first at the latest
  save.flush();  // at once, here
  save.trigger("nonsense");
  save.cancel_and_wait();  // not at all; and when this returns write() is not running
}
