// SPDX-License-Identifier: Apache-2.0
// bench/report.hpp - from the samples of all rounds to tables, goals and bench.json.
#pragma once

#include "harness.hpp"

#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace bench {

/// samples[contest][round] in ns, in the order of the registry; empty where a contest did not run.
struct results {
  std::vector<std::vector<double>> samples;
  std::vector<std::vector<figure>> figures;  // by measurement
};

double median(std::vector<double> values);

void print_tables(std::ostream& out, const results& found);
/// Met or missed, for every goal whose contenders ran. Nothing depends on it.
void print_goals(std::ostream& out, const results& found);
void write_json(std::ostream& out, const results& found);

}  // namespace bench
