// SPDX-License-Identifier: Apache-2.0
// A push and a pop by each thread, one after the other; each contender with what it needs to give memory back, but for
// ck_stack, which leaves that to its user: its threads keep the node that they popped and push it again.
#include <ck_pr.h>
// ck_stack.h assigns the void* of this exchange to a stack entry, as C allows and C++ does not.
#define ck_pr_fas_ptr(target, value) static_cast<struct ck_stack_entry*>(ck_pr_fas_ptr(target, value))
#include <ck_stack.h>
#undef ck_pr_fas_ptr

#include <acqrel/handoff/stack.hpp>

#include <boost/lockfree/stack.hpp>
#include <cds/container/treiber_stack.h>
#include <cds/gc/hp.h>
#include <cds/init.h>

#include <memory>
#include <mutex>
#include <vector>

#include "bench/harness.hpp"

namespace bench {
namespace {

struct unshared {
  struct user {
    explicit user(unshared&) {}
    void push(std::uint64_t value) { kept.push_back(value); }
    std::uint64_t pop() {
      const std::uint64_t value = kept.back();
      kept.pop_back();
      return value;
    }
    std::vector<std::uint64_t> kept;
  };
};

struct locked {
  struct user {
    void push(std::uint64_t value) {
      const std::lock_guard lock(all.mutex);
      all.values.push_back(value);
    }
    std::uint64_t pop() {
      const std::lock_guard lock(all.mutex);
      const std::uint64_t value = all.values.back();
      all.values.pop_back();
      return value;
    }
    locked& all;
  };
  std::mutex mutex;
  std::vector<std::uint64_t> values;
};

struct ours {
  struct user {
    void push(std::uint64_t value) { all.values.push(value); }
    std::uint64_t pop() { return all.values.pop().value_or(0); }
    ours& all;
  };
  acqrel::stack<std::uint64_t> values;
};

struct boosts {
  struct user {
    void push(std::uint64_t value) { all.values.push(value); }
    std::uint64_t pop() {
      std::uint64_t value = 0;
      all.values.pop(value);
      return value;
    }
    boosts& all;
  };
  boost::lockfree::stack<std::uint64_t> values{0};
};

struct cks {
  struct alignas(64) node {
    ck_stack_entry_t entry;
    std::uint64_t value;
  };
  struct user {
    explicit user(cks& shared) : all(shared), spare(shared.make()) {}
    void push(std::uint64_t value) {
      spare->value = value;
      ck_stack_push_mpmc(&all.top, &spare->entry);
    }
    std::uint64_t pop() {
      spare = reinterpret_cast<node*>(ck_stack_pop_mpmc(&all.top));
      return spare->value;
    }
    cks& all;
    node* spare;
  };
  node* make() {
    const std::lock_guard lock(mutex);
    nodes.push_back(std::make_unique<node>());
    return nodes.back().get();
  }
  alignas(64) ck_stack_t top = CK_STACK_INITIALIZER;
  std::mutex mutex;
  std::vector<std::unique_ptr<node>> nodes;
};

// One collector for the process, as the library wants it.
void start_cds() {
  [[maybe_unused]] static cds::gc::HP* const collector = [] {
    cds::Initialize();
    return new cds::gc::HP(4, 64);
  }();
}

struct cds_thread {
  cds_thread() {
    start_cds();
    cds::threading::Manager::attachThread();
  }
  ~cds_thread() { cds::threading::Manager::detachThread(); }
  cds_thread(const cds_thread&) = delete;
  cds_thread& operator=(const cds_thread&) = delete;
};

struct cdss {
  struct user {
    explicit user(cdss& shared) : all(shared) {}
    void push(std::uint64_t value) { all.values.push(value); }
    std::uint64_t pop() {
      std::uint64_t value = 0;
      all.values.pop(value);
      return value;
    }
    cdss& all;
    cds_thread attached;
  };
  cds_thread attached;
  cds::container::TreiberStack<cds::gc::HP, std::uint64_t> values;
};

template <class Stack>
void enter_stack(const char* contender) {
  for (const unsigned threads : {1u, 2u})
    enter(
        {.type = "stack", .operation = "push_pop", .contender = contender, .variation = "in_turn", .threads = threads},
        [] {
          return [all = std::make_shared<Stack>()](turn& now) {
            typename Stack::user mine{*all};
            now.begin();
            std::uint64_t done = 0;
            do {
              for (int i = 0; i != 64; ++i, ++done) {
                mine.push(done);
                keep(mine.pop());
              }
            } while (now.running());
            now.end(done);
          };
        });
}

[[maybe_unused]] const bool entered = [] {
  enter_stack<unshared>("floor: std::vector, unshared");
  enter_stack<locked>("ref: std::mutex, std::vector");
  enter_stack<cks>("ck_stack, nodes used again");
  enter_stack<boosts>("boost::lockfree::stack");
  enter_stack<cdss>("libcds TreiberStack, HP");
  enter_stack<ours>("acqrel");
  for (const unsigned threads : {1u, 2u})
    goal({.type = "stack",
          .operation = "push_pop",
          .variation = "in_turn",
          .threads = threads,
          .contender = "acqrel",
          .against = "ck_stack, nodes used again",
          .at_most = 1.0});
  return true;
}();

}  // namespace
}  // namespace bench
