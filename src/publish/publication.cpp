// SPDX-License-Identifier: Apache-2.0
#include "publication.hpp"

#include "../reclaim/hazard_domain.hpp"

namespace acqrel {

constinit std::mutex publication::all_mutex;
constinit publication* publication::all = nullptr;

namespace {

// The destructor of the value runs first, under no lock.
void destroy(hazard_object* object) noexcept {
  auto* const version = static_cast<published_version*>(object);
  publication& books = version->of;
  books.type.destroy(version->value());
  const bool last = books.forget(*version);
  delete version;
  if (last) books.end();
}

// Exchanges what the cell holds and notes it, as one step. Null: it was not `expected`, which null stands for whatever is
// there. What a reader in the slow lane lets die meanwhile is destroyed after it: that takes the mutex, too.
hazard_object* put(hazard_cell& cell, hazard_object* expected, hazard_object* next) noexcept {
  publication& books = *cell.books;
  hazard_record* const deferred = hazard_domain::defer_destroying();
  hazard_object* old = expected;
  {
    const std::lock_guard lock(books.mutex);
    if (expected == nullptr)
      old = hazard_take(cell, next);
    else if (!hazard_unlink(cell, expected, next))
      old = nullptr;
    if (old != nullptr) books.note(old, next);
  }
  hazard_domain::resume_destroying(deferred);
  return old;
}

void retire(hazard_object* object) noexcept {
  if (object != &hazard_nothing) hazard_retire(object);
}

}  // namespace

published_version::published_version(publication& which, const void* value, std::size_t size) noexcept
    : hazard_object(destroy, value), of(which), bytes(size) {}

publication::publication(const named& given, const published_type& how, void (*measure)())
    : name(given.name),
      time(given.time != nullptr ? *given.time : time_source::steady()),
      type(how),
      bytes(measure),
      changed(time.now()) {
  const std::lock_guard lock(all_mutex);
  next = all;
  all = this;
}

void publication::note(hazard_object* old, hazard_object* now) noexcept {
  changed = time.now();
  ++publishes;
  if (old != &hazard_nothing) static_cast<published_version*>(old)->replaced = changed;
  if (now == &hazard_nothing) return;
  auto* const version = static_cast<published_version*>(now);
  version->generation = publishes;
  version->published = changed;
  version->next = newest;
  if (newest != nullptr) newest->previous = version;
  newest = version;
}

bool publication::forget(published_version& version) noexcept {
  const std::lock_guard lock(mutex);
  if (version.next != nullptr) version.next->previous = version.previous;
  (version.previous != nullptr ? version.previous->next : newest) = version.next;
  return ended && newest == nullptr;
}

void publication::end() noexcept {
  {
    const std::lock_guard lock(all_mutex);
    publication** at = &all;
    while (*at != this) at = &(*at)->next;
    *at = next;
  }
  delete this;
}

publication* open_publication(const named& name, const published_type& type, void (*bytes)()) {
  return new publication(name, type, bytes);
}

void close_publication(hazard_cell& cell) noexcept {
  publication& books = *cell.books;
  retire(put(cell, nullptr, &hazard_nothing));
  bool last;
  {
    const std::lock_guard lock(books.mutex);
    books.ended = true;
    last = books.newest == nullptr;
  }
  if (last) books.end();
}

hazard_object* make_published(publication& books, const void* value) {
  return new published_version(books, value, books.type.bytes(value, books.bytes));
}

void unmake_published(hazard_object* version) noexcept { delete static_cast<published_version*>(version); }

hazard_object* exchange_published(hazard_cell& cell, hazard_object* next) noexcept {
  hazard_object* const old = put(cell, nullptr, next);
  old->add_reference();
  retire(old);
  return old;
}

bool compare_exchange_published(hazard_cell& cell, hazard_object* expected, hazard_object* next) noexcept {
  hazard_object* const old = put(cell, expected, next);
  if (old == nullptr) return false;
  retire(old);
  return true;
}

}  // namespace acqrel
