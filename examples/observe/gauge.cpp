// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/gauge.hpp>

int main() {
  static constinit acqrel::gauge connections;
  static constinit acqrel::gauge temperature;
  connections.add(1);  // any thread
  connections.add(-1);
  temperature.set(21.5);
  return connections.value() == 0 && temperature.value() == 21.5 ? 0 : 1;
}
