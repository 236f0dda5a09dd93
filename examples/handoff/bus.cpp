// Somebody who wants to hear of every change of a flag, until it does not.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/bus.hpp>

#include <cstdio>
#include <string>

namespace {

void apply(const std::string& flag, int value) { std::printf("%s is %d\n", flag.c_str(), value); }

}  // namespace

int main() {
  acqrel::bus<std::string, int> changes;
  acqrel::subscription mine = changes.subscribe([](const std::string& flag, int value) { apply(flag, value); });
  changes.publish("colour", 3);  // any thread: calls everybody once
  mine.reset();                  // from here on apply() runs on no other thread and will not be called again
  changes.publish("colour", 4);
}
