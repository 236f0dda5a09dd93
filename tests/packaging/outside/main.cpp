// SPDX-License-Identifier: Apache-2.0
#include "bounded_queue.hpp"

int main() {
  bounded_queue<int, 2> queue;
  int out = 0;
  return queue.push(1) && queue.pop(out) && out == 1 ? 0 : 1;
}
