// SPDX-License-Identifier: Apache-2.0
#include "value_builder.hpp"

#include <algorithm>

namespace flagserver {

value make_object(std::span<loose_entry> entries, arena& memory, source_map* places) {
  const auto before = [](const loose_entry& a, const loose_entry& b) {
    const int order = a.entry.key.compare(b.entry.key);
    return order < 0 || (order == 0 && a.order < b.order);
  };
  if (!std::is_sorted(entries.begin(), entries.end(), before)) std::sort(entries.begin(), entries.end(), before);
  auto* members = memory.make<member>(entries.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 < entries.size() && entries[i + 1].entry.key == entries[i].entry.key) {
      if (places) places->put_repeated(entries[i].entry.key, entries[i + 1].key_at);
      continue;
    }
    members[count] = entries[i].entry;
    if (places) {
      places->put_key(&members[count], entries[i].key_at);
      places->put_value(&members[count].content, entries[i].value_at);
    }
    ++count;
  }
  return value::dictionary(members, count);
}

value make_array(std::span<const loose_entry> entries, arena& memory, source_map* places) {
  auto* items = memory.make<value>(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    items[i] = entries[i].entry.content;
    if (places) places->put_value(&items[i], entries[i].value_at);
  }
  return value::list(items, entries.size());
}

}  // namespace flagserver
