// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/registry.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <thread>

namespace {

using acqrel::registry;
using labels = registry::labels;

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const std::invalid_argument& refused) {
    return refused.what();
  }
  return "not refused";
}

// ---- semantics ----

// C5
TEST(registry, gives_the_same_number_for_the_same_name_and_labels) {
  registry numbers;
  auto& ok = numbers.counter("answers_total", "Answers.", {{"code", "200"}, {"verb", "GET"}});
  EXPECT_EQ(&ok, &numbers.counter("answers_total", "whatever", {{"verb", "GET"}, {"code", "200"}}));
  EXPECT_NE(&ok, &numbers.counter("answers_total", "Answers.", {{"code", "404"}, {"verb", "GET"}}));
  auto& open = numbers.gauge("open", "Open.");
  EXPECT_EQ(&open, &numbers.gauge("open", "Open."));
  auto& took = numbers.histogram("took_seconds", "Time.", {1, 2});
  for (int i = 0; i != 1000; ++i) numbers.counter("others_total", "", {{"i", std::to_string(i)}}).add();
  EXPECT_EQ(&took, &numbers.histogram("took_seconds", "Time.", {1, 2}));
  EXPECT_EQ(&ok, &numbers.counter("answers_total", "Answers.", {{"code", "200"}, {"verb", "GET"}}));
}

// C6
TEST(registry, is_read_as_a_copy) {
  registry numbers;
  auto& ok = numbers.counter("answers_total", "Answers.");
  ok.add(2);
  const auto before = numbers.read();
  ok.add(3);
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(before[0].name, "answers_total");
  EXPECT_EQ(before[0].help, "Answers.");
  EXPECT_EQ(before[0].kind, registry::kind::counter);
  EXPECT_EQ(before[0].series.at(0).value, 2);
  EXPECT_EQ(numbers.read()[0].series.at(0).value, 5);
}

TEST(registry, writes_what_prometheus_reads) {
  registry numbers;
  numbers.counter("b_total", "Two\nlines \\ and \"quotes\".", {{"path", "a\\b\"c\nd"}, {"z", ""}}).add(3);
  numbers.gauge("a_ratio", "A share.").set(0.25);
  auto& took = numbers.histogram("c_seconds", "Time.", {0.5, 1}, {{"verb", "GET"}});
  took.observe(0.25, {{"trace_id", "4bf92f35"}});
  took.observe(8);
  EXPECT_EQ(numbers.prometheus(),
            "# HELP a_ratio A share.\n"
            "# TYPE a_ratio gauge\n"
            "a_ratio 0.25\n"
            "# HELP b_total Two\\nlines \\\\ and \"quotes\".\n"
            "# TYPE b_total counter\n"
            "b_total{path=\"a\\\\b\\\"c\\nd\",z=\"\"} 3\n"
            "# HELP c_seconds Time.\n"
            "# TYPE c_seconds histogram\n"
            "c_seconds_bucket{verb=\"GET\",le=\"0.5\"} 1\n"
            "c_seconds_bucket{verb=\"GET\",le=\"1\"} 1\n"
            "c_seconds_bucket{verb=\"GET\",le=\"+Inf\"} 2\n"
            "c_seconds_sum{verb=\"GET\"} 8.25\n"
            "c_seconds_count{verb=\"GET\"} 2\n");
  EXPECT_EQ(numbers.openmetrics(),
            "# HELP a_ratio A share.\n"
            "# TYPE a_ratio gauge\n"
            "# UNIT a_ratio ratio\n"
            "a_ratio 0.25\n"
            "# HELP b Two\\nlines \\\\ and \\\"quotes\\\".\n"
            "# TYPE b counter\n"
            "b_total{path=\"a\\\\b\\\"c\\nd\",z=\"\"} 3\n"
            "# HELP c_seconds Time.\n"
            "# TYPE c_seconds histogram\n"
            "# UNIT c_seconds seconds\n"
            "c_seconds_bucket{verb=\"GET\",le=\"0.5\"} 1 # {trace_id=\"4bf92f35\"} 0.25\n"
            "c_seconds_bucket{verb=\"GET\",le=\"1.0\"} 1\n"
            "c_seconds_bucket{verb=\"GET\",le=\"+Inf\"} 2\n"
            "c_seconds_sum{verb=\"GET\"} 8.25\n"
            "c_seconds_count{verb=\"GET\"} 2\n"
            "# EOF\n");
}

TEST(registry, writes_every_value) {
  registry numbers;
  auto& level = numbers.gauge("level", "Level.");
  const auto written = [&](double value) {
    level.set(value);
    const std::string text = numbers.prometheus();
    const auto from = text.rfind(' ') + 1;
    return text.substr(from, text.size() - 1 - from);
  };
  EXPECT_EQ(written(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(written(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(written(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(written(-3), "-3");
  EXPECT_EQ(written(123456789012345), "123456789012345");
  EXPECT_EQ(written(1e300), "1e+300");
  EXPECT_EQ(written(0.1), "0.1");
}

TEST(registry, mends_labels_that_are_not_utf_8) {
  registry numbers;
  numbers.counter("a_total", "", {{"k", "\xc3\xa4|\xff|\xe2\x82|\xf0\x9f\x98\x80|\xed\xa0\x80|\xc0\xaf"}});
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_NE(numbers.prometheus().find("k=\"\xc3\xa4|" + bad + "|" + bad + bad + "|\xf0\x9f\x98\x80|" + bad + bad + bad +
                                      "|" + bad + bad + "\""),
            std::string::npos)
      << numbers.prometheus();
}

TEST(registry, refuses_what_prometheus_would) {
  registry numbers;
  numbers.gauge("level", "");
  numbers.histogram("took_seconds", "", {1});
  EXPECT_EQ(refusal([&] { numbers.counter("1_total", ""); }),
            "acqrel: registry: \"1_total\": a name has letters, digits, _ and :, and begins with no digit");
  EXPECT_NE(refusal([&] { numbers.counter("", ""); }), "not refused");
  EXPECT_NE(refusal([&] { numbers.counter("requests", ""); }), "not refused");
  EXPECT_NE(refusal([&] { numbers.gauge("requests_total", ""); }), "not refused");
  EXPECT_NE(refusal([&] { numbers.gauge("requests_count", ""); }), "not refused");
  EXPECT_NE(refusal([&] { numbers.gauge("level", "", {{"a-b", ""}}); }), "not refused");
  EXPECT_NE(refusal([&] { numbers.gauge("level", "", {{"__name", ""}}); }), "not refused");
  EXPECT_NE(refusal([&] { numbers.histogram("took_seconds", "", {1}, {{"le", ""}}); }), "not refused");
  EXPECT_EQ(refusal([&] { numbers.histogram("level", "", {1}); }),
            "acqrel: registry: \"level\": it is a gauge already, no histogram");
  EXPECT_EQ(refusal([&] { numbers.histogram("took_seconds", "", {2}); }),
            "acqrel: registry: \"took_seconds\": it has other bounds already");
  EXPECT_NE(refusal([&] { numbers.histogram("bad_seconds", "", {2, 1}); }), "not refused");
  EXPECT_EQ(numbers.read().size(), 2U) << "what was refused leaves nothing behind";
}

TEST(registry, gives_labels_without_end_one_series) {
  registry numbers({.series = 3});
  for (int i = 0; i != 10; ++i) numbers.counter("users_total", "", {{"user", std::to_string(i)}}).add();
  numbers.counter("users_total", "", {{"user", "1"}}).add();
  const auto all = numbers.read();
  ASSERT_EQ(all.at(0).series.size(), 4U);
  EXPECT_EQ(all[0].series[1].value, 2);
  EXPECT_EQ(all[0].series[3].labels, (labels{{"overflow", "true"}}));
  EXPECT_EQ(all[0].series[3].value, 7);
  EXPECT_EQ(numbers.overflowed(), 7U);
}

TEST(registry, asks_functions_under_no_lock) {
  registry numbers;
  double free = 4;
  numbers.ask(registry::kind::gauge, "free_bytes", "", {}, [&] {
    numbers.gauge("met_within", "").add(1);  // would hang under the lock
    return free;
  });
  EXPECT_NE(numbers.prometheus().find("free_bytes 4\n"), std::string::npos);
  free = 5;
  EXPECT_NE(numbers.prometheus().find("free_bytes 5\n"), std::string::npos);
  EXPECT_NE(refusal([&] { numbers.gauge("free_bytes", ""); }), "not refused");
  EXPECT_NE(refusal([&] { numbers.ask(registry::kind::gauge, "free_bytes", "", {}, [] { return 0; }); }),
            "not refused");
  EXPECT_NE(refusal([&] { numbers.ask(registry::kind::histogram, "h", "", {}, [] { return 0; }); }), "not refused");
}

// ---- stress ----

// Oracle: threads find numbers by name and count in them while others read all; at the end each has what was counted.
TEST(registry_stress, finds_and_counts_from_many_threads) {
  constexpr int threads = 4, names = 20, rounds = 50;
  registry numbers;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) (void)numbers.openmetrics();
  });
  std::vector<std::thread> all;
  for (int t = 0; t != threads; ++t) {
    all.emplace_back([&] {
      for (int r = 0; r != rounds; ++r) {
        for (int n = 0; n != names; ++n) {
          numbers.counter("hits_total", "", {{"n", std::to_string(n)}}).add();
          numbers.histogram("took_seconds", "", {1}, {{"n", std::to_string(n)}}).observe(2);
        }
      }
    });
  }
  for (auto& each : all) each.join();
  done = true;
  reader.join();
  for (const auto& family : numbers.read()) {
    ASSERT_EQ(family.series.size(), std::size_t{names});
    for (const auto& series : family.series)
      EXPECT_EQ(family.kind == registry::kind::counter ? series.value : static_cast<double>(series.values.count),
                threads * rounds);
  }
}

}  // namespace
