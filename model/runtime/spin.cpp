// SPDX-License-Identifier: Apache-2.0
#include "spin.hpp"

#include <algorithm>

namespace acqrel::model {
namespace {

// The hash of a state is a sum over its words, so that one word can be taken out of it again.
std::uint64_t mixed(std::uint64_t place, std::uint64_t word) {
  const auto wide = static_cast<value>(word ^ (place * 0x9e3779b97f4a7c15u)) * 0xd6e8feb86659fd93u;
  return static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64);
}

std::uint64_t mixed(const std::uint64_t* word, std::uint64_t without = 0) {
  return mixed(reinterpret_cast<std::uintptr_t>(word), *word & ~without);
}

const std::uint64_t* word_at(std::uintptr_t address) {
  return reinterpret_cast<const std::uint64_t*>(address & ~std::uintptr_t{7});
}

/// Which bytes of the word lie in [begin, end).
std::uint64_t bytes_in(const std::uint64_t* word, std::uintptr_t begin, std::uintptr_t end) {
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const std::uintptr_t byte = reinterpret_cast<std::uintptr_t>(word) + i;
    if (byte >= begin && byte < end) mask |= std::uint64_t{0xff} << (8 * i);
  }
  return mask;
}

}  // namespace

bool leaves_no_trace(const graph& g, const turn& t) {
  const auto within = [&](event_id e) { return e.thread == t.thread && e.index >= t.from && e.index < t.to; };
  const std::vector<event>& events = g.of(t.thread);
  for (unsigned i = t.from; i < t.to && i < events.size(); ++i) {
    const event& e = events[i];
    if (e.what == kind::create || e.what == kind::join) return false;
    if (e.what == kind::choice && e.val != 0) return false;
    if (e.what != kind::write) continue;
    // Look at the block once: at its first write.
    const event_id here{t.thread, static_cast<std::uint8_t>(i)};
    const graph::object& object = g.objects()[e.object];
    const unsigned first = g.place(here, object);
    if (within(g.write_at(first - 1, object))) continue;
    unsigned last = first;
    while (last < object.writes.size() && within(g.write_at(last + 1, object))) ++last;
    if (g.value_of(g.write_at(last, object), object) != g.value_of(g.write_at(first - 1, object), object)) return false;
    for (event_id reader : object.reads) {
      if (within(reader)) continue;
      const event_id read = g.at(reader).from;
      if (!within(read)) continue;
      const unsigned at = g.place(read, object);
      if (at >= first && at < last) return false;
    }
  }
  return true;
}

void loops::begin(const char* stack_high) {
  act();
  shared_.clear();
  frames_.clear();
  const std::uint64_t* const high = word_at(reinterpret_cast<std::uintptr_t>(stack_high));
  if (high != high_) blocks_.clear();
  high_ = high;
}

// Most frames are as they were when the thread was here last: to compare is cheaper than to mix.
std::uint64_t loops::mixed_stack(const std::uint64_t* low) {
  std::uint64_t sum = 0;
  const std::uint64_t* word = high_;
  for (std::size_t i = 0; word - low >= block::words; ++i) {
    word -= block::words;
    if (i == blocks_.size()) blocks_.push_back({});
    block& b = blocks_[i];
    std::uint64_t differ = b.known ? 0 : 1;
    for (int w = 0; w < block::words; ++w) differ |= b.word[w] ^ word[w];
    if (differ != 0) {
      b = {.known = true};
      for (int w = 0; w < block::words; ++w) {
        b.word[w] = word[w];
        b.sum += mixed(word + w);
      }
    }
    sum += b.sum;
  }
  while (word > low) sum += mixed(--word);
  return sum;
}

int loops::come_back(const registers& now, unsigned position) {
  std::uint64_t state = reinterpret_cast<std::uintptr_t>(now.stack);
  for (unsigned i = 0; i < 6; ++i) state += mixed(i, now.preserved[i]);
  state += mixed_stack(now.stack);
  for (const shared_word& s : shared_)
    if (s.at >= now.stack) state += mixed(s.at, s.bytes) - mixed(s.at);
  for (visit& before : past_) {
    if (before.state != state) continue;
    const bool same = as_it_was(before.written);
    const unsigned then = before.position;
    // The next turn begins here, if this one counts.
    before.position = position;
    before.written = written_.size();
    return same ? static_cast<int>(then) : -1;
  }
  past_.push_back({state, now.stack, position, written_.size()});
  return -1;
}

void loops::write(const void* address, std::size_t size) {
  constexpr std::size_t many = 16, enough = 256;
  if (size == 0 || size > many || written_.size() + size > enough) return act();
  const auto* const first = static_cast<const unsigned char*>(address);
  for (std::size_t i = 0; i < size; ++i) written_.push_back({first + i, first[i]});
}

bool loops::as_it_was(std::size_t written) const {
  const auto begin = written_.begin() + static_cast<std::ptrdiff_t>(written);
  for (auto byte = begin; byte != written_.end(); ++byte) {
    const bool first = std::none_of(begin, byte, [&](const overwritten& other) { return other.at == byte->at; });
    if (first && *byte->at != byte->was) return false;
  }
  return true;
}

void loops::share(const void* address, std::size_t size) {
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  for (const std::uint64_t* word = word_at(begin); word < word_at(begin + size + 7); ++word) {
    auto known = std::find_if(shared_.begin(), shared_.end(), [word](const shared_word& s) { return s.at == word; });
    if (known == shared_.end()) known = shared_.insert(known, {word, 0});
    const std::uint64_t before = known->bytes, bytes = before | bytes_in(word, begin, begin + size);
    if (bytes == before) continue;
    known->bytes = bytes;
    // They were part of the states so far with the value they still have.
    for (visit& past : past_)
      if (word >= past.stack) past.state += mixed(word, bytes) - mixed(word, before);
  }
}

void loops::take_back(const void* address, std::size_t size) {
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  bool any = false;
  for (shared_word& s : shared_) {
    const std::uint64_t bytes = s.bytes & bytes_in(s.at, begin, begin + size);
    s.bytes &= ~bytes;
    any = any || bytes != 0;
  }
  if (!any) return;
  std::erase_if(shared_, [](const shared_word& s) { return s.bytes == 0; });
  act();
}

void loops::drop_dead() {
  const auto* bottom = static_cast<const std::uint64_t*>(frames_.back());
  std::erase_if(shared_, [&](const shared_word& s) { return s.at < bottom; });
}

}  // namespace acqrel::model
