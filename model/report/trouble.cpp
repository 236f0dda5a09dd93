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
    case trouble_kind::spinning: return "spinning";
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
    case trouble_kind::deadlock:
      return "Every thread that is left waits for another. Look at what each waits for: a lock taken in another order, "
             "or a "
             "wake-up that came before its waiter.";
    case trouble_kind::livelock:
      return "A loop waits for a value that nobody will write any more. Look at the last value it read, and who should "
             "have "
             "written the next.";
    case trouble_kind::leak: return "Nothing reaches these blocks any more. Free each on the path of this execution.";
    case trouble_kind::nondeterministic:
      return "A test must do the same whenever its atomic operations read the same: no clock, random number, input, "
             "address from the system, or state kept from one execution to the next.";
    case trouble_kind::not_modelled: return "Leave the call out of the test, or make it before or after the check.";
    default: return "";
  }
}

}  // namespace acqrel::model
