// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/striped_map.hpp>

#include <random>
#include <stdexcept>
#include <thread>

namespace acqrel {

constinit thread_local const striped_map_place* striped_map_inside = nullptr;

void throw_striped_map_within_itself() {
  throw std::logic_error(
      "acqrel: striped_map: called inside a function that this thread runs under a lock of the same map, and might "
      "wait for itself, or for a thread that waits for it; use the value that the function was given, and call the map "
      "afterwards");
}

std::uint64_t striped_map_seed() {
  std::random_device system;
  return std::uint64_t{system()} << 32 | system();
}

std::size_t striped_map_stripes(std::size_t wanted) {
  constexpr std::size_t most = std::size_t{1} << 20;
  if (wanted > most)
    throw std::length_error("acqrel: striped_map: more than 2^20 stripes, of 128 bytes each; give a few for each CPU");
  if (wanted == 0) wanted = std::max<std::size_t>(64, std::size_t{16} * std::thread::hardware_concurrency());
  return std::bit_ceil(wanted);
}

}  // namespace acqrel
