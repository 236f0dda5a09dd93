// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/thread_cells.hpp>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <pthread.h>
#include <stdexcept>
#include <string>

namespace acqrel {

using record = thread_cell_record;

constinit std::atomic<record*> record::all{nullptr};

namespace {

constinit record nobody;  // of a thread that has written nothing: no page is there, so one test covers both

// Which words are taken, a bit each. A run never reaches over the end of its page.
constinit std::mutex taking;
constinit std::uint64_t taken[record::most_pages] = {};

std::uint64_t run(std::size_t first, std::size_t count) noexcept {
  return (count == thread_cells::most ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) << first;
}

[[noreturn]] void no_memory(std::size_t bytes) noexcept {
  std::fprintf(stderr, "acqrel: no memory for the %zu bytes that a thread counts in\n", bytes);
  std::abort();
}

// The end of a thread, after the destructors of its C++ thread_local objects. Whoever counts later still gets a record
// again, and this runs again.
void leave(void* p) noexcept {
  thread_cells_here = &nobody;
  // edge thread_cells.owner: release
  static_cast<record*>(p)->in_use.store(false, std::memory_order_release);
}

pthread_key_t make_key() noexcept {
  pthread_key_t key;
  if (pthread_key_create(&key, leave) != 0) {
    std::fputs("acqrel: no thread-specific key left for this process\n", stderr);
    std::abort();
  }
  return key;
}

record* enter() noexcept {
  static const pthread_key_t key = make_key();
  record* mine;
  // edge thread_cells.record: acquire
  for (mine = record::all.load(std::memory_order_acquire); mine != nullptr; mine = mine->next) {
    bool used = false;
    // edge thread_cells.owner: acquire  / plain: a record in use is passed over
    if (mine->in_use.compare_exchange_strong(used, true, std::memory_order_acquire, std::memory_order_relaxed)) break;
  }
  if (mine == nullptr) {
    mine = new (std::nothrow) record;
    if (mine == nullptr) no_memory(sizeof(record));
    // plain: the exchange below publishes the record
    mine->next = record::all.load(std::memory_order_relaxed);
    // edge thread_cells.record: release
    // plain: the loop tries again with what it read
    while (!record::all.compare_exchange_weak(mine->next, mine, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  pthread_setspecific(key, mine);
  return mine;
}

}  // namespace

// initial-exec here too: a definition with the default model is reached by a call inside a shared library
constinit thread_local record* thread_cells_here [[gnu::tls_model("initial-exec")]] = &nobody;

thread_cells::thread_cells(std::size_t count) {
  if (count == 0 || count > most)
    throw std::length_error("acqrel: thread_cells: " + std::to_string(count) + " words; give from 1 to " +
                            std::to_string(most));
  const std::lock_guard lock(taking);
  for (std::size_t page = 0; page != record::most_pages; ++page) {
    for (std::size_t first = 0; first + count <= most; ++first) {
      if ((taken[page] & run(first, count)) != 0) continue;
      taken[page] |= run(first, count);
      page_ = static_cast<std::uint32_t>(page);
      first_ = static_cast<std::uint16_t>(first);
      count_ = static_cast<std::uint16_t>(count);
      return;
    }
  }
  throw std::length_error("acqrel: thread_cells: all " + std::to_string(most * record::most_pages) +
                          " words of this process are taken: count in fewer places, or by fewer labels");
}

// Whoever gets these words next begins at zero. No other thread writes them now, and it will learn of the next owner from
// somebody who came after this.
thread_cells::~thread_cells() {
  const std::lock_guard lock(taking);
  // edge thread_cells.record: acquire
  for (record* r = record::all.load(std::memory_order_acquire); r != nullptr; r = r->next) {
    // edge thread_cells.page: acquire
    record::page* const page = r->pages[page_].load(std::memory_order_acquire);
    if (page == nullptr) continue;
    for (std::uint32_t i = 0; i != count_; ++i) {
      // plain: exclusive access
      page->cells[first_ + i].store(0, std::memory_order_relaxed);
    }
  }
  taken[page_] &= ~run(first_, count_);
}

thread_cells::cell* thread_cells::mine_first() const noexcept {
  if (thread_cells_here == &nobody) thread_cells_here = enter();
  std::atomic<record::page*>& slot = thread_cells_here->pages[page_];
  // plain: only this thread writes it; a record used before may have the page
  record::page* page = slot.load(std::memory_order_relaxed);
  if (page == nullptr) {
    page = new (std::nothrow) record::page;
    if (page == nullptr) no_memory(sizeof(record::page));
    // edge thread_cells.page: release
    slot.store(page, std::memory_order_release);
  }
  return page->cells + first_;
}

}  // namespace acqrel
