// What a map is to one thread, a key at a time: for tests/linearizable.hpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../linearizable.hpp"

#include <optional>
#include <string>

struct map_spec {
  enum kind { find, insert, assign, erase, compare_and_assign };
  struct operation {
    kind what = find;
    int key = 0, value = 0, expected = 0;
    bool did = false;            // what came of it
    std::optional<int> found{};  // of find
  };
  using state = std::optional<int>;

  static int key(const operation& o) { return o.key; }
  static bool step(state& now, const operation& o) {
    const bool there = now.has_value();
    switch (o.what) {
      case find: return o.found == now;
      case insert:
        if (!there) now = o.value;
        return o.did == !there;
      case assign: now = o.value; return o.did == !there;
      case erase: now.reset(); return o.did == there;
      case compare_and_assign:
        if (now != o.expected) return !o.did;
        now = o.value;
        return o.did;
    }
    return false;
  }
  static std::string text(const operation& o) {
    const std::string key = std::to_string(o.key), value = std::to_string(o.value), did = o.did ? ": true" : ": false";
    switch (o.what) {
      case find: return "find(" + key + "): " + (o.found ? std::to_string(*o.found) : "nothing");
      case insert: return "insert(" + key + ", " + value + ")" + did;
      case assign: return "insert_or_assign(" + key + ", " + value + ")" + did;
      case erase: return "erase(" + key + ")" + did;
      case compare_and_assign:
        return "compare_and_assign(" + key + ", " + std::to_string(o.expected) + ", " + value + ")" + did;
    }
    return "";
  }

  /// Makes the call of `map`, which has the functions of concurrent_map.
  template <class Map>
  static void make(Map& map, operation& o) {
    switch (o.what) {
      case find: o.found = map.get(o.key); break;
      case insert: o.did = map.insert(o.key, o.value); break;
      case assign: o.did = map.insert_or_assign(o.key, o.value); break;
      case erase: o.did = map.erase(o.key); break;
      case compare_and_assign: o.did = map.compare_and_assign(o.key, o.expected, o.value); break;
    }
  }
  /// Some call of one of two keys.
  template <class Random>
  static operation any(Random& random) {
    operation o;
    o.what = static_cast<kind>(random() % 5);
    o.key = static_cast<int>(random() % 2);
    o.value = static_cast<int>(random() % 3);
    o.expected = static_cast<int>(random() % 3);
    return o;
  }
};
