// SPDX-License-Identifier: Apache-2.0
#include "words.hpp"

#include <algorithm>
#include <vector>

#include "memory.hpp"
#include "scheduler.hpp"
#include "sites.hpp"

namespace acqrel::model {
namespace {

struct life {
  const void* object;
  location now;
  unsigned generation;
};
// A test has a handful of objects that synchronise.
std::vector<life> lives;
std::vector<holding> held[max_threads];

}  // namespace

void begin_words() {
  lives.clear();
  for (auto& each : held) each.clear();
}

sync_word word_of(const void* object, const void* site) {
  wait_turn();
  const location now = atomic_access(object, 4, true, true, site);
  const auto known = std::find_if(lives.begin(), lives.end(), [object](const life& l) { return l.object == object; });
  if (known == lives.end()) {
    lives.push_back({object, now, 0});
    return {object, 0};
  }
  if (known->now != now) {
    known->now = now;
    ++known->generation;
    for (auto& each : held) std::erase_if(each, [object](const holding& h) { return h.object == object; });
  }
  return {object, known->generation * words_of_object % kernel_word};
}

void make_or_end(void* object, std::size_t size, const void* site) { plain_write(object, size, site); }

holding* held_by_self(const void* object) {
  for (holding& h : held[self()]) {
    if (h.object == object) return &h;
  }
  return nullptr;
}

void hold(const void* object, bool shared, const void* site) { held[self()].push_back({object, 1, shared, site}); }

void let_go(const void* object) {
  auto& mine = held[self()];
  const auto it = std::find_if(mine.begin(), mine.end(), [object](const holding& h) { return h.object == object; });
  if (it != mine.end() && --it->count == 0) mine.erase(it);
}

std::string holders(const void* object) {
  std::string text;
  for (unsigned t = 0; t < max_threads; ++t) {
    for (const holding& h : held[t]) {
      if (h.object != object) continue;
      text += text.empty() ? ", held by thread " : " and thread ";
      text += std::to_string(t) + " since " + site_of(h.site).brief();
    }
  }
  return text;
}

}  // namespace acqrel::model
