// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

namespace acqrel::model {
namespace {

// What a run noted for its report; a process checks one program at a time.
std::vector<mark>& noted() {
  static std::vector<mark> all;
  return all;
}

}  // namespace

void begin_marks() { noted().clear(); }
void add_mark(mark m) { noted().push_back(std::move(m)); }
const std::vector<mark>& marks() { return noted(); }

const char* name_of(trouble_kind trouble) {
  switch (trouble) {
    case trouble_kind::none: return "";
    case trouble_kind::race: return "data race";
    case trouble_kind::use_after_free: return "use after free";
    case trouble_kind::bad_free: return "bad free";
    case trouble_kind::leak: return "leak";
    case trouble_kind::deadlock: return "deadlock";
    case trouble_kind::livelock: return "livelock";
    case trouble_kind::assertion: return "assertion";
    case trouble_kind::crash: return "crash";
    case trouble_kind::misuse: return "misuse";
    case trouble_kind::nondeterministic: return "nondeterministic test";
    case trouble_kind::not_modelled: return "not modelled";
  }
  return "";
}

const char* advice(trouble_kind trouble) {
  switch (trouble) {
    case trouble_kind::none: return "";
    case trouble_kind::race:
      return "Both accesses are possible at once. Let one come before the other: through a release that an acquire "
             "reads, "
             "or a lock held by both; or make the object atomic.";
    case trouble_kind::use_after_free:
      return "The memory may be gone when it is used. Let the free come after every use: a join, a count, a hazard "
             "pointer.";
    case trouble_kind::bad_free:
      return "A block is freed once, at the address it was given, by the kind of delete that fits its new.";
    case trouble_kind::leak:
      return "Nothing reaches these blocks any more and nothing freed them. Free each on the path of this execution.";
    case trouble_kind::deadlock:
      return "Every thread that is left waits for another. Look at what each waits for: a lock taken in another order, "
             "or a "
             "wake-up that came before its waiter.";
    case trouble_kind::livelock:
      return "A loop waits for a value that nobody will write any more. Look at the last value it read, and who should "
             "have "
             "written the next.";
    case trouble_kind::assertion: return "The execution shows how the program gets there.";
    case trouble_kind::crash: return "The execution shows how the program gets there.";
    case trouble_kind::misuse: return "The C++ standard gives such a program no meaning.";
    case trouble_kind::nondeterministic:
      return "A test must do the same whenever its atomic operations read the same: no clock, random number, input, "
             "address of the system, or state kept from one execution to the next.";
    case trouble_kind::not_modelled: return "Leave the call out of the test, or put it before and after check().";
  }
  return "";
}

}  // namespace acqrel::model
