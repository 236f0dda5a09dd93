// An item is sent by a name that goes on to be used: does the channel have it, or who wrote the next line?
//
// Document  "chan", ownership passes with the send
// Refused   by the compiler
// Saying    use of deleted function|call to deleted
// Instead   move it in. Sent, it is the receiver's; refused, it was not moved from and is still yours.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/handoff/channel.hpp>

#include <string>

#if defined(WRONG)
bool hand_over(acqrel::channel<std::string>& lines, std::string line) { return lines.send(line); }
#else
bool hand_over(acqrel::channel<std::string>& lines, std::string line) { return lines.send(std::move(line)); }
#endif

int main() {
  acqrel::channel<std::string> lines(acqrel::bounded(1));
  return hand_over(lines, "one") && lines.receive() == "one" ? 0 : 1;
}
