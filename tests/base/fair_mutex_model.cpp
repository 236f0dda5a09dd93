// fair_mutex in every execution, both when it hands over and when it does not; the bodies are in fair_mutex_model.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "fair_mutex_model.hpp"

namespace {

using namespace fair_mutex_model;

MODEL(fair_mutex, excludes, .shows = {"fair_mutex.held"}) { excludes(false); }
MODEL(fair_mutex, excludes_in_order, .shows = {"fair_mutex.held"}) { excludes(true); }
MODEL(fair_mutex, keeps_its_queue_whole, .shows = {"fair_mutex.held"}) { queues(); }
MODEL(fair_mutex, wakes_again_who_was_woken_in_vain) { wakes_again(); }
MODEL(fair_mutex, hands_over_to_who_waits) { hands_over(true); }
MODEL(fair_mutex, forgets_nobody_when_a_wait_gives_up) { gives_up(false); }
MODEL(fair_mutex, forgets_nobody_when_a_wait_gives_up_in_order) { gives_up(true); }
MODEL(fair_mutex, may_be_destroyed_by_its_last_holder) { may_be_destroyed(false); }
MODEL(fair_mutex, may_be_destroyed_by_who_was_handed_it) { may_be_destroyed(true); }

// The same mutex, told never to hand over: then the holder is quicker.
MODEL_FAILS(fair_mutex, that_never_hands_over_lets_the_holder_in_again, "assertion") { hands_over(false); }

}  // namespace
