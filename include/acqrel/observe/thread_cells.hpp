// acqrel/observe/thread_cells.hpp - words that every thread has a copy of: it alone writes its own, anybody adds all up.
//
//   acqrel::thread_cells words(2);                       // two words for each thread that ever writes one of them
//   acqrel::thread_cells::add(words.mine()[0], 1);       // any thread: a load and a store
//   acqrel::thread_cells::add(words.mine()[1], bytes);
//   const std::uint64_t calls = words.sum(0);            // any thread
//
// Publishes  nothing but numbers. What a thread wrote is there for whoever it has ended before, or told otherwise.
// Edges      thread_cells.record  a thread's first use -> sum()    its record
//            thread_cells.page    a page's first use -> sum()      that its words were zero
//            thread_cells.owner   a thread's end -> the next owner of its record   the words, which go on from there
// Progress   mine() and a write are wait-free, but for the first use of a page by a thread, which allocates. sum() and
//            for_each() are wait-free. The constructor and the destructor take a mutex.
// Memory     8 bytes here. A thread that uses any: 4 KiB, and 512 bytes for each 64 words of which it uses one. Both stay, for
//            the threads that come later: so what ended threads counted is never lost, and never moved.
// Threads    mine() belongs to the calling thread; sum() and for_each() from any. Destruction needs exclusive access. Not in a
//            signal handler: it would interrupt a write. After fork the child goes on with the numbers of all.
// Errors     std::bad_alloc. std::length_error past 64 words in one object, or 32,768 in a process. A thread for whose
//            first use there is no memory ends the process, as one that cannot read a snapshot_source does.
// Cost       mine(): three loads and a test. sum(): two loads for each thread alive at once. Bench sharded_counter/add.
// Model      tests/observe/thread_cells_model.cpp, every edge also weakened.
// Not for    what must be read often, or compared before it is written (an atomic).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace acqrel {

struct thread_cell_record;
extern constinit thread_local thread_cell_record* thread_cells_here [[gnu::tls_model("initial-exec")]];

class thread_cells {
 public:
  using cell = std::atomic<std::uint64_t>;
  static constexpr std::size_t most = 64;

  /// `count` words, all zero, from 1 to `most`.
  explicit thread_cells(std::size_t count);
  ~thread_cells();
  thread_cells(const thread_cells&) = delete;
  thread_cells& operator=(const thread_cells&) = delete;

  /// This thread's own words.
  [[nodiscard]] cell* mine() const noexcept;
  /// What all threads wrote into word `i`, added up: each at some moment of the call.
  [[nodiscard]] std::uint64_t sum(std::size_t i) const noexcept {
    std::uint64_t all = 0;
    for_each(i, [&](std::uint64_t one) { all += one; });
    return all;
  }
  /// Calls f(value) for each thread's word `i`.
  template <class F>
  void for_each(std::size_t i, F f) const;

  /// For one's own word: nobody else writes it.
  static void add(cell& own, std::uint64_t n) noexcept {
    // plain: only this thread writes it
    const std::uint64_t before = own.load(std::memory_order_relaxed);
    // plain: a number by itself
    own.store(before + n, std::memory_order_relaxed);
  }
  /// The same for a word that holds the bits of a double; sums of such are made with for_each().
  static void add_double(cell& own, double n) noexcept {
    // plain: only this thread writes it
    const std::uint64_t before = own.load(std::memory_order_relaxed);
    // plain: a number by itself
    own.store(std::bit_cast<std::uint64_t>(std::bit_cast<double>(before) + n), std::memory_order_relaxed);
  }

 private:
  [[gnu::cold, gnu::noinline]] cell* mine_first() const noexcept;

  std::uint32_t page_;
  std::uint16_t first_, count_;
};

// ------------------------------------------------------------------------ Implementation

/// What a thread has of all words; immortal, and used again by a thread that comes later.
struct thread_cell_record {
  struct alignas(128) page {
    thread_cells::cell cells[thread_cells::most]{};
  };
  static constexpr std::size_t most_pages = 512;

  std::atomic<page*> pages[most_pages]{};
  std::atomic<bool> in_use{true};
  thread_cell_record* next = nullptr;  // immutable once the record is in the list

  /// Every record ever made, newest first; never shortened.
  static constinit std::atomic<thread_cell_record*> all;
};

inline thread_cells::cell* thread_cells::mine() const noexcept {
  // plain: only this thread writes it
  thread_cell_record::page* const page = thread_cells_here->pages[page_].load(std::memory_order_relaxed);
  if (page == nullptr) [[unlikely]]
    return mine_first();
  return page->cells + first_;
}

template <class F>
void thread_cells::for_each(std::size_t i, F f) const {
  // edge thread_cells.record: acquire
  for (const thread_cell_record* r = thread_cell_record::all.load(std::memory_order_acquire); r != nullptr;
       r = r->next) {
    // edge thread_cells.page: acquire
    const thread_cell_record::page* const page = r->pages[page_].load(std::memory_order_acquire);
    // plain: a number by itself
    if (page != nullptr) f(page->cells[first_ + i].load(std::memory_order_relaxed));
  }
}

}  // namespace acqrel
