// SPDX-License-Identifier: Apache-2.0
// An object of 1 KiB is taken, written to and returned, by each thread for itself: alone, and eight at a time.
#include <acqrel/handoff/object_pool.hpp>

#include <tbb/scalable_allocator.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "bench/go.hpp"
#include "bench/harness.hpp"

namespace bench {
namespace {

struct buffer {
  buffer() {}  // no memory is cleared, by nobody
  buffer* next;
  std::uint64_t words[127];
};
static_assert(sizeof(buffer) == 1024);

// What the compiler does not see through, so that what was taken is taken, and returned later.
[[gnu::always_inline]] inline void use(buffer& one, std::uint64_t value) {
  one.words[0] = value;
  asm volatile("" : : "r"(&one) : "memory");
}

// A list of one thread's, linked through the objects: no pool can do less.
struct thread_list {
  struct held {
    ~held() {
      object->next = first;
      first = object;
    }
    buffer& operator*() const { return *object; }
    buffer* object;
  };
  struct user {
    explicit user(thread_list&) {}
    ~user() {
      while (first != nullptr) delete std::exchange(first, first->next);
    }
    held get() {
      if (first == nullptr) return {new buffer};
      return {std::exchange(first, first->next)};
    }
  };
  static thread_local buffer* first;
};
constinit thread_local buffer* thread_list::first = nullptr;

struct locked {
  struct held {
    ~held() {
      const std::lock_guard lock(all.mutex);
      all.objects.push_back(std::move(object));
    }
    buffer& operator*() const { return *object; }
    locked& all;
    std::unique_ptr<buffer> object;
  };
  struct user {
    held get() {
      const std::lock_guard lock(all.mutex);
      if (all.objects.empty()) return {all, std::make_unique<buffer>()};
      std::unique_ptr<buffer> object = std::move(all.objects.back());
      all.objects.pop_back();
      return {all, std::move(object)};
    }
    locked& all;
  };
  std::mutex mutex{};
  std::vector<std::unique_ptr<buffer>> objects{};
};

template <void* Allocate(std::size_t), void Free(void*)>
struct allocator {
  struct held {
    ~held() { Free(object); }
    buffer& operator*() const { return *object; }
    buffer* object;
  };
  struct user {
    explicit user(allocator&) {}
    held get() { return {::new (Allocate(sizeof(buffer))) buffer}; }
  };
};

template <bool Resets>
struct ours {
  struct user {
    acqrel::pooled<buffer> get() { return all.objects.get(); }
    ours& all;
  };
  acqrel::object_pool<buffer> objects = [] {
    if constexpr (Resets)
      return acqrel::object_pool<buffer>([] { return buffer(); }, [](buffer& one) { one.words[1] = 0; });
    else
      return acqrel::object_pool<buffer>();
  }();
};

template <class Pool>
void enter_pool(const char* contender) {
  for (const unsigned threads : {1u, 2u}) {
    for (const unsigned at_once : {1u, 8u}) {
      enter({.type = "object_pool",
             .operation = "get_put",
             .contender = contender,
             .variation = at_once == 1 ? "one_kib" : "one_kib_8_at_once",
             .threads = threads,
             .environment = {}},
            [at_once] {
              return [all = std::make_shared<Pool>(), at_once](turn& now) {
                typename Pool::user mine{*all};
                const auto take = [&](auto& self, unsigned more) -> void {
                  const auto held = mine.get();
                  use(*held, more);
                  if (more != 0) self(self, more - 1);
                };
                take(take, at_once);
                now.begin();
                std::uint64_t done = 0;
                do {
                  if (at_once == 1) {
                    for (int i = 0; i != 256; ++i, ++done) {
                      const auto held = mine.get();
                      use(*held, done);
                    }
                  } else {
                    for (int i = 0; i != 32; ++i, done += 8) {
                      const auto a = mine.get(), b = mine.get(), c = mine.get(), d = mine.get();
                      const auto e = mine.get(), f = mine.get(), g = mine.get(), h = mine.get();
                      for (const auto* held : {&a, &b, &c, &d, &e, &f, &g, &h}) use(**held, done);
                    }
                  }
                } while (now.running());
                now.end(done);
              };
            });
    }
  }
}

[[maybe_unused]] const bool entered = [] {
  enter_pool<thread_list>("floor: thread-local list");
  enter_pool<locked>("ref: std::mutex, std::vector");
  enter_pool<allocator<std::malloc, std::free>>("malloc, free");
  enter_pool<allocator<scalable_malloc, scalable_free>>("TBB scalable_malloc");
  enter_pool<ours<false>>("acqrel");
  enter_pool<ours<true>>("acqrel, with a reset");
  for (const unsigned threads : {1u, 2u}) {
    enter_go({.type = "object_pool",
              .operation = "get_put",
              .contender = "Go sync.Pool",
              .variation = "one_kib",
              .threads = threads},
             "pool");
    // 4 ns, of which the list takes 1.9, where that was measured.
    goal({.type = "object_pool",
          .operation = "get_put",
          .variation = "one_kib",
          .threads = threads,
          .contender = "acqrel",
          .against = "floor: thread-local list",
          .at_most = 2.1});
    for (const char* const rival : {"TBB scalable_malloc", "malloc, free"})
      goal({.type = "object_pool",
            .operation = "get_put",
            .variation = "one_kib_8_at_once",
            .threads = threads,
            .contender = "acqrel",
            .against = rival,
            .at_most = 1.0});
  }
  return true;
}();

}  // namespace
}  // namespace bench
