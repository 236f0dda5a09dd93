// SPDX-License-Identifier: Apache-2.0
// bench/publish/liburcu.hpp - one flavour of liburcu as a contender. Each flavour's own file defines URCU_API_MAP and
// _LGPL_SOURCE (its inlined, fastest form), includes its header, and then this one: rcu_* are that flavour's. LIBURCU_FLAVOUR
// names a namespace of its own: an unnamed one let the linker take one flavour's loop for all three.
#include "bench/publish/contest.hpp"
#include "bench/publish/measure.hpp"
#include "bench/publish/values.hpp"

#include <cstddef>
#include <cstdint>

namespace LIBURCU_FLAVOUR {

template <class T>
struct liburcu {
  struct node {
    explicit node(std::uint64_t number) : value(number) {}
    T value;
    rcu_head head;
  };
  liburcu() : current(new node(1)) {}
  ~liburcu() {
    rcu_barrier();
    delete current;
  }
  liburcu(const liburcu&) = delete;
  liburcu& operator=(const liburcu&) = delete;

  struct guard {
    explicit guard(node* found) : held(found) {}
    ~guard() { rcu_read_unlock(); }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    const T* operator->() const { return &held->value; }
    node* held;
  };
  struct reader_of_one {
    [[gnu::always_inline]] guard read() const {
      rcu_read_lock();
      return guard(rcu_dereference(*current));
    }
    node** current;
  };
  struct session {
    explicit session(liburcu& contender) : all(contender) { rcu_register_thread(); }
    ~session() { rcu_unregister_thread(); }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    reader_of_one reader() { return {&all.current}; }
    void publish(std::uint64_t number) {
      node* old = rcu_xchg_pointer(&all.current, new node(number));
      call_rcu(&old->head, [](rcu_head* head) {
        delete reinterpret_cast<node*>(reinterpret_cast<std::byte*>(head) - offset_of_head());
      });
    }
    void quiesce() { rcu_quiescent_state(); }
    liburcu& all;
  };
  static std::size_t offset_of_head() { return __builtin_offsetof(node, head); }
  node* current;
};

template <class T>
void drain(liburcu<T>&, typename liburcu<T>::session&) {
  rcu_barrier();
}

}  // namespace LIBURCU_FLAVOUR
