// SPDX-License-Identifier: Apache-2.0
// What reading and publishing one 64-byte object costs. The rivals from other libraries enter in files of their own.
#include "bench/go.hpp"
#include "bench/publish/acqrel.hpp"
#include "bench/publish/contest.hpp"
#include "bench/publish/measure.hpp"
#include "bench/publish/raw_pointer.hpp"
#include "bench/publish/standard.hpp"

namespace bench {
namespace {

void enter_references() {
  enter_timings<raw_pointer>("floor: raw pointer");
  enter_readings<bare_hazard<plain_value>>("read", "ref: bare slot", read_one{});
  enter_readings<bare_hazard<plain_value, slot_in_record>>("read", "ref: bare slot in a record", read_one{});
  enter_readings<bare_hazard<plain_value>>("read_nested", "ref: bare slot, one guard", read_one{});
  enter_readings<under_mutex<plain_value>>("read", "ref: std::mutex", read_one{});  // nested, it would wait for itself
  enter_publishing<under_mutex<plain_value>>("ref: std::mutex");
  enter_readings<under_shared_mutex<plain_value>>("read", "ref: std::shared_mutex", read_one{});
  enter_publishing<under_shared_mutex<plain_value>>("ref: std::shared_mutex");
  enter_timings<atomic_shared_pointer>("ref: std::atomic<shared_ptr>");
  enter_measurements<atomic_shared_pointer>("ref: std::atomic<shared_ptr>");

  enter_readings<raw_pointer<plain_value>>("get_snapshot", "floor: raw pointer", read_one{});
  enter_readings<atomic_shared_pointer<plain_value>>("get_snapshot", "ref: std::atomic<shared_ptr>", read_one{});
  enter_readings<copied_shared_pointer<plain_value>>("get_snapshot", "ref: std::mutex, shared_ptr copied", read_one{});
}

void enter_go_rivals() {
  for (const unsigned threads : {1u, 2u})
    enter_go({.type = snapshot_source,
              .operation = "read",
              .contender = "Go atomic.Pointer",
              .variation = "read_only",
              .threads = threads},
             "pointer_load");
}

void enter_acqrel() {
  const char* const full = "ACQREL_FENCES=full";
  enter_readings<acqrel_publish<plain_value>>("read", "acqrel", read_one{});
  enter_readings<acqrel_publish<plain_value>>("read", "acqrel full fences", read_one{}, full);
  enter_readings<acqrel_publish<plain_value>>("read_nested", "acqrel", read_two_at_once{});
  enter_readings<acqrel_publish<plain_value>>("read_nested", "acqrel one guard", read_one{});
  enter_readings<acqrel_snapshot<plain_value>>("get_snapshot", "acqrel get_snapshot", read_one{});
  enter_publishing<acqrel_publish<plain_value>>("acqrel");
  enter_publishing<acqrel_emplace<plain_value>>("acqrel emplace");
  enter_publishing<acqrel_emplace<plain_value>>("acqrel emplace, full fences", full);
  enter_measurements<acqrel_publish>("acqrel");
  enter_measurements<acqrel_emplace>("acqrel emplace");
  enter_measurements<acqrel_publish>("acqrel full fences", full);
}

void enter_goals() {
  for (const unsigned threads : {1u, 2u}) {
    const auto read = [&](const char* operation, const char* variation, const char* against, double at_most) {
      goal({.type = snapshot_source,
            .operation = operation,
            .variation = variation,
            .threads = threads,
            .contender = "acqrel",
            .against = against,
            .at_most = at_most});
    };
    read("read", "read_only", "floor: raw pointer", 2.7);
    read("read", "read_only", "ref: bare slot", 1.15);
    read("read", "read_only", "liburcu memb", 0.5);
    read("read", "stores_and_call", "ref: bare slot", 1.5);
    read("read_nested", "read_only", "acqrel one guard", 5);
  }
  const auto publish = [&](const char* variation, double at_most) {
    for (const char* contender : {"acqrel", "acqrel emplace"})
      goal({.type = snapshot_source,
            .operation = "publish",
            .variation = variation,
            .contender = contender,
            .against = "floor: raw pointer",
            .at_most = at_most});
  };
  publish("alone", 2.4);
  publish("beside_spinner", 2.4);
  publish("with_reader", 2.6);
  for (const char* contender : {"acqrel", "acqrel emplace"})
    goal({.type = snapshot_source,
          .operation = "stalled_reader_rss",
          .contender = contender,
          .figure = "growth of resident memory",
          .at_most = 0.2});
}

[[maybe_unused]] const bool entered = [] {
  enter_references();
  enter_go_rivals();
  enter_acqrel();
  enter_goals();
  return true;
}();

}  // namespace
}  // namespace bench
