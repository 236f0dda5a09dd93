// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/probe.hpp>
#include <acqrel/testing/model.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

int prepared = 0;  // what the installed function uses

void look(acqrel::probe, std::int64_t) noexcept { EXPECT_EQ(prepared, 1); }

MODEL(probe, finds_what_its_function_needs, .shows = {"probe.installed"}) {
  prepared = 0;
  acqrel::install_probe(nullptr);
  std::thread other([] { acqrel::probe_retry(); });
  prepared = 1;
  acqrel::install_probe(&look);
  other.join();
}

}  // namespace
