// Who touched each byte last. For each granule of 8 bytes: the accesses that a later one could still conflict with.
//
// An access is forgotten when a later one, which it happens before, conflicts with all that it conflicts with: whoever is
// not ordered with the old one is then not ordered with the new one either, and the race is found there. So a granule
// remembers few, and none that matters is lost.
// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <new>
#include <vector>

#include "blocks.hpp"
#include "memory.hpp"

namespace acqrel::model {
namespace {

constexpr std::size_t granule = 8;
constexpr std::size_t page_size = 4096;
constexpr unsigned address_bits = 47;  // of a user address on x86-64
constexpr unsigned held = 3;           // accesses kept in the cell itself

struct alignas(64) cell {
  std::uint32_t run = 0;    // all else is of this run, or of no meaning
  std::uint16_t count = 0;  // accesses remembered
  std::uint8_t valid = 0;   // bytes that may be touched: those of a living block, or all outside the arenas
  std::uint8_t anew = 0;    // bytes written plainly since they were accessed atomically
  std::uint32_t more = 0;   // 1 + index of what does not fit in here; 0: nothing
  std::uint32_t unused = 0;
  std::array<access, held> first;
};
static_assert(sizeof(cell) == 64);

/// What few cells need: more accesses, and the atomic objects that begin in the cell.
struct extension {
  std::vector<access> accesses;
  std::array<std::uint16_t, granule> generation{};
  std::array<std::uint8_t, granule> size{};  // of the atomic object each byte belongs to
};

struct page {
  std::array<cell, page_size / granule> cells;
  std::uint32_t run;
  thread_id stack;  // whose stack it is part of, or max_threads
  bool arena;
};

// Two levels: a table for each GiB, with a page of cells for each page of memory. Both are kept from run to run.
constexpr unsigned table_bits = 30, page_bits = 12;
std::array<page**, std::size_t{1} << (address_bits - table_bits)> tables;
std::uint32_t run = 1;
std::vector<std::unique_ptr<extension>> extensions;
std::uint32_t extensions_used = 0;

void* zeroed_memory(std::size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return p;
}

[[gnu::cold]] [[gnu::noinline]] page* new_page(std::uintptr_t address) {
  static char *next = nullptr, *end = nullptr;
  constexpr std::size_t batch = 64;  // one mapping for many: the kernel counts them
  if (next == end) {
    next = static_cast<char*>(zeroed_memory(batch * sizeof(page)));
    end = next + batch * sizeof(page);
  }
  page* made = reinterpret_cast<page*>(next);
  next += sizeof(page);
  made->arena = in_arena(reinterpret_cast<const void*>(address));
  return made;
}

page* page_if_any(std::uintptr_t address) {
  page** const table = tables[address >> table_bits];
  return table == nullptr ? nullptr : table[(address >> page_bits) % (1U << (table_bits - page_bits))];
}

[[gnu::cold]] [[gnu::noinline]] page& add_page(std::uintptr_t address) {
  page**& table = tables[address >> table_bits];
  constexpr std::size_t entries = std::size_t{1} << (table_bits - page_bits);
  if (table == nullptr) table = static_cast<page**>(zeroed_memory(entries * sizeof(page*)));
  page*& entry = table[(address >> page_bits) % entries];
  return *(entry = new_page(address));
}

/// Stacks may be given out anew between runs, so ask once in each.
[[gnu::noinline]] void begin_page(page& p, std::uintptr_t address) {
  bool dead = false;
  p.stack = p.arena ? max_threads : stack_of(reinterpret_cast<const void*>(address), &dead);
  p.run = run;
}

page& page_of(std::uintptr_t address) {
  page* const known = page_if_any(address);
  page& p = known == nullptr ? add_page(address) : *known;
  if (p.run != run) begin_page(p, address);
  return p;
}

extension& extension_of(cell& c) {
  if (c.more == 0) {
    if (extensions_used == extensions.size()) extensions.push_back(std::make_unique<extension>());
    extension& fresh = *extensions[extensions_used];
    fresh.accesses.clear();
    fresh.generation.fill(0);
    fresh.size.fill(0);
    c.more = ++extensions_used;
  }
  return *extensions[c.more - 1];
}

access& nth(cell& c, unsigned i) { return i < held ? c.first[i] : extensions[c.more - 1]->accesses[i - held]; }

void add(cell& c, const access& a) {
  if (c.count < held) {
    c.first[c.count] = a;
  } else {
    for (unsigned i = 0; i < c.count; ++i) {  // a loop over the bytes
      access& old = nth(c, i);
      if (old.thread == a.thread && old.when == a.when && old.how == a.how && old.site == a.site) {
        old.bytes |= a.bytes;
        return;
      }
    }
    extension_of(c).accesses.push_back(a);
  }
  ++c.count;
}

void remove(cell& c, unsigned i) {
  nth(c, i) = nth(c, c.count - 1U);
  if (--c.count >= held) extensions[c.more - 1]->accesses.pop_back();
}

std::uint8_t bytes_below(std::ptrdiff_t n) {
  return static_cast<std::uint8_t>((1U << std::clamp<std::ptrdiff_t>(n, 0, granule)) - 1);
}

/// The bytes of a living block in the granule at `start`. Blocks are aligned so that a granule is of one at most.
std::uint8_t bytes_of(const block& b, const char* start) {
  return b.freed || start < b.start ? std::uint8_t{0} : bytes_below(b.start + b.size - start);
}

void begin_life(cell& c, const block& b, const char* start) {
  c.valid = c.anew = bytes_of(b, start);
  c.count = 0;
  if (c.valid == 0) return;
  c.count = 1;
  c.first[0] = b.made;
  c.first[0].bytes = c.valid;
}

/// First access to these bytes in this run.
[[gnu::noinline]] void begin_cell(cell& c, const page& p, std::uintptr_t address) {
  c.run = run;
  c.count = 0;
  c.anew = 0;
  c.more = 0;
  c.valid = p.arena ? 0 : 0xff;
  if (!p.arena) return;
  const char* const start = reinterpret_cast<const char*>(address / granule * granule);
  if (const block* b = block_before(start)) begin_life(c, *b, start);
}

bool conflict(const access& a, const access& b) { return (a.writes() || b.writes()) && !(a.atomic() && b.atomic()); }

/// Whether `later` conflicts with all that `earlier` conflicts with.
bool replaces(const access& later, const access& earlier) {
  if (!later.atomic()) return later.writes() || !earlier.writes();
  return earlier.atomic() && (later.writes() || !earlier.writes());
}

/// Takes an access to bytes of one granule into account.
void touch(cell& c, const access& a, const clock& now, std::uintptr_t address) {
  if (a.writes() && !a.atomic()) c.anew |= a.bytes;
  bool placed = false;
  for (unsigned i = 0; i < c.count;) {
    access& old = nth(c, i);
    if ((old.bytes & a.bytes) != 0) {
      // Nothing can have come between two accesses without an event of their thread.
      if (old.thread == a.thread && old.when == a.when && (a.bytes & ~old.bytes) == 0 &&
          (old.how == a.how || old.how == writes_it))
        return;
      if (old.happens_before(a.thread, now)) {
        if (replaces(a, old)) {
          old.bytes &= static_cast<std::uint8_t>(~a.bytes);
          if (old.bytes == 0 && placed) {
            remove(c, i);
            continue;
          }
          if (old.bytes == 0) {
            old = a;
            placed = true;
          }
        }
      } else if (conflict(a, old)) {
        const int byte = std::countr_zero(static_cast<unsigned>(old.bytes & a.bytes));
        report_race(a, old, reinterpret_cast<const void*>(address / granule * granule + static_cast<unsigned>(byte)));
      }
    }
    ++i;
  }
  if (!placed) add(c, a);
}

/// Calls visit(cell, access, address) for each granule of the access.
template <typename Visit>
void each_granule(access a, std::uintptr_t address, std::size_t size, const Visit& visit) {
  const std::uintptr_t end = address + size;
  if (end < address || end >> address_bits != 0) return;  // the access itself will crash, and say so
  while (address < end) {
    page& p = page_of(address);
    if (p.stack != max_threads && p.stack != a.thread) {
      bool dead = false;
      const void* const where = reinterpret_cast<const void*>(address);
      if (const thread_id owner = stack_of(where, &dead); dead) report_dead_frame(a, where, owner);
    }
    const std::uintptr_t page_end = std::min<std::uintptr_t>(end, (address / page_size + 1) * page_size);
    do {
      cell& c = p.cells[address % page_size / granule];
      if (c.run != run) begin_cell(c, p, address);
      const std::size_t from = address % granule;
      const std::uintptr_t next = std::min<std::uintptr_t>(page_end, address - from + granule);
      a.bytes = static_cast<std::uint8_t>((0xffU >> (granule - (next - address))) << from);
      if ((a.bytes & ~c.valid) != 0) {
        const int byte = std::countr_zero(static_cast<unsigned>(a.bytes & ~c.valid));
        report_outside(a, reinterpret_cast<const void*>(address - from + static_cast<unsigned>(byte)));
      }
      visit(c, a, address);
      address = next;
    } while (address < page_end);
  }
}

void plain(const void* p, std::size_t size, unsigned how, const void* site) {
  const access a = access_by_self(size, how, site);
  const clock& now = tree().now(a.thread);
  each_granule(a, reinterpret_cast<std::uintptr_t>(p), size,
               [&now](cell& c, const access& part, std::uintptr_t where) { touch(c, part, now, where); });
}

/// Calls visit(cell, address) for each granule of the block that was touched in this run.
template <typename Visit>
void each_touched(const block& b, const Visit& visit) {
  std::uintptr_t address = reinterpret_cast<std::uintptr_t>(b.start);
  const std::uintptr_t end = address + b.size;
  while (address < end) {
    page* const p = page_if_any(address);
    const std::uintptr_t page_end = std::min<std::uintptr_t>(end, (address / page_size + 1) * page_size);
    if (p != nullptr && p->run == run)
      for (; address < page_end; address += granule)
        if (cell& c = p->cells[address % page_size / granule]; c.run == run) visit(c, address);
    address = page_end;
  }
}

}  // namespace

access access_by_self(std::size_t size, unsigned how, const void* site) {
  access a;
  a.site = site;
  a.size = static_cast<std::uint32_t>(std::min<std::size_t>(size, UINT32_MAX));
  a.how = static_cast<std::uint8_t>(how);
  a.thread = self();
  a.when = static_cast<std::uint8_t>(tree().position(a.thread));
  return a;
}

void forget_accesses() {
  extensions_used = 0;
  if (++run != 0) return;
  run = 1;  // after four thousand million runs: cells of the first ones must not look new
  for (page** table : tables)
    for (std::size_t i = 0; table != nullptr && i < std::size_t{1} << (table_bits - page_bits); ++i) {
      if (table[i] == nullptr) continue;
      table[i]->run = 0;
      for (cell& c : table[i]->cells) c.run = 0;
    }
}

void plain_read(const void* p, std::size_t size, const void* site) { plain(p, size, reads_it, site); }

void plain_write(const void* p, std::size_t size, const void* site) {
  plain(p, size, writes_it, site);
  wrote_plainly(p, size);
}

location atomic_access(const void* p, std::size_t size, bool reads, bool writes, const void* site) {
  const auto address = reinterpret_cast<std::uintptr_t>(p);
  if (!std::has_single_bit(size) || size > sizeof(value) || address % size != 0)
    fail(trouble_kind::misuse,
         "an atomic access of " + std::to_string(size) + " bytes to " + describe(p) +
             ", which is not aligned to its size: align the object (alignas, or std::atomic_ref's required_alignment)",
         site);
  unsigned how = atomically;
  if (reads) how |= reads_it;
  if (writes) how |= writes_it;
  const access a = access_by_self(size, how, site);
  const clock& now = tree().now(a.thread);

  struct part {
    cell* c;
    std::uint8_t bytes;
  };
  std::array<part, 2> parts{};
  unsigned count = 0;
  each_granule(a, address, size, [&](cell& c, const access& piece, std::uintptr_t where) {
    touch(c, piece, now, where);
    parts[count++] = {&c, piece.bytes};
  });
  if (count == 0) return address;  // not an address at all: the access itself will crash

  bool anew = false;
  for (unsigned i = 0; i < count; ++i) anew = anew || (parts[i].c->anew & parts[i].bytes) != 0;
  for (unsigned i = 0; i < count; ++i) {
    auto [c, bytes] = parts[i];
    extension& more = extension_of(*c);
    for (unsigned b = static_cast<unsigned>(std::countr_zero(bytes)); b < granule && (bytes >> b & 1U) != 0; ++b) {
      if (anew) ++more.generation[b];
      if (!anew && more.size[b] != 0 && more.size[b] != size) {
        const access* other = nullptr;
        for (unsigned k = 0; k < c->count; ++k)
          if (const access& old = nth(*c, k); old.atomic() && old.size == more.size[b] && (old.bytes & bytes) != 0)
            other = &old;
        report_mixed_sizes(a, more.size[b], other, p);
      }
      more.size[b] = static_cast<std::uint8_t>(size);
    }
    c->anew &= static_cast<std::uint8_t>(~bytes);
  }
  return location{address} | location{extension_of(*parts[0].c).generation[address % granule]} << (address_bits + 1);
}

void atomic_exchanged(const void* p, std::size_t size, const void* site) {
  access a = access_by_self(size, atomically | reads_it | writes_it, site);
  --a.when;  // its write is the event made last
  const clock& now = tree().now(a.thread);
  each_granule(a, reinterpret_cast<std::uintptr_t>(p), size,
               [&now](cell& c, const access& part, std::uintptr_t where) { touch(c, part, now, where); });
}

void end_block(const block& b) {
  const clock& now = tree().now(b.ended.thread);
  access a = b.ended;
  each_touched(b, [&](cell& c, std::uintptr_t address) {
    a.bytes = c.valid;
    touch(c, a, now, address);
    c.valid = 0;
    c.count = 0;
    if (c.more != 0) extensions[c.more - 1]->accesses.clear();
  });
  if (!b.made.happens_before(b.ended.thread, now)) report_race(b.ended, b.made, b.start);
}

void renew_block(const block& b) {
  each_touched(b, [&](cell& c, std::uintptr_t address) { begin_life(c, b, reinterpret_cast<const char*>(address)); });
}

}  // namespace acqrel::model
