// What a map does to add an entry, without looking whether it is there.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/concurrent_map_table.hpp>

#include <cstdio>

namespace {

using namespace acqrel;

using entry = concurrent_map_entry<int, int>;

}  // namespace

int main() {
  concurrent_map_table table(&entry::end_of_copy);
  constexpr std::uint32_t tag = 0x80000007;  // a hash, spread
  entry* const fresh = entry::make(tag, 7, 49).release();

  const std::uint32_t bucket = table.home(tag);                       // any thread
  const hazard_protection held = hazard_protect(table.cell(bucket));  // the chain in it
  if (table.exchange(tag, bucket, held.object, nullptr, fresh)) table.grow(tag);
  hazard_release(held);

  std::printf("%zu entry, in bucket %u\n", table.size(), bucket);
}
