// SPDX-License-Identifier: Apache-2.0
// The whole thing under load: ten thousand requests a second over loopback while the file is edited every 20 to 50 ms.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "server_child.hpp"
#include "version_checker.hpp"

namespace {

using std::chrono::steady_clock;

constexpr int flag_count = 20;
constexpr int client_count = 4;
constexpr int edits = 60;
constexpr std::chrono::microseconds pause_between_requests{400};  // 4 clients: 10,000 requests a second in total
constexpr std::chrono::seconds hang{60};                          // only to end a test that has failed

std::string key(int number) { return "flag-" + std::to_string(100 + number); }

/// One of four flags answers by a rule, so that evaluation takes part.
std::string file_text(int version) {
  const std::string v = std::to_string(version);
  std::string text = "{\"flags\":{";
  for (int i = 0; i < flag_count; ++i) {
    text += (i == 0 ? "\"" : ",\n\"") + key(i) + R"(":{"state":"ENABLED","variants":{"a":)" + v + R"(,"b":)" + v +
            R"(},"defaultVariant":"a")";
    if (i % 4 == 0) text += R"(,"targeting":{"if":[{"ends_with":[{"var":"email"},"@example.com"]},"b",null]})";
    text += '}';
  }
  return text + "}}";
}

class edited_file {
 public:
  edited_file() {
    std::string name = (std::filesystem::temp_directory_path() / "acqrel-load-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    folder_ = name;
  }
  ~edited_file() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  edited_file(const edited_file&) = delete;
  edited_file& operator=(const edited_file&) = delete;

  std::string path() const { return folder_ / "flags.json"; }
  void write(int version) const {
    const std::filesystem::path next = folder_ / "next";
    std::ofstream(next) << file_text(version);
    std::filesystem::rename(next, path());
  }

 private:
  std::filesystem::path folder_;
};

std::string bulk_of(std::initializer_list<int> versions) {
  std::string body = "{\"flags\":[";
  for (const int v : versions)
    body += (body.back() == '[' ? "" : ",") + std::string(R"({"key":"k","value":)") + std::to_string(v) + "}";
  return body + "]}";
}

}  // namespace

// ---- the checker itself ----

TEST(version_checker, accepts_versions_that_grow) {
  version_checker checker(3);
  EXPECT_EQ(checker.bulk(bulk_of({1, 1, 1})), "");
  EXPECT_EQ(checker.bulk(bulk_of({1, 1, 1})), "");
  EXPECT_EQ(checker.single(R"({"key":"k","value":4})"), "");
  EXPECT_EQ(checker.bulk(bulk_of({5, 5, 5})), "");
  EXPECT_EQ(checker.latest(), 5);
  EXPECT_EQ(checker.changes(), 3);
}

TEST(version_checker, refuses_a_mixed_answer_one_that_goes_back_and_one_that_is_cut_short) {
  for (const auto& mixed : {bulk_of({1, 1, 2}), bulk_of({2, 1, 1}), bulk_of({1, 2, 1})})
    EXPECT_EQ(version_checker(3).bulk(mixed).substr(0, 12), "two versions") << mixed;
  version_checker checker(3);
  EXPECT_EQ(checker.bulk(bulk_of({7, 7, 7})), "");
  EXPECT_EQ(checker.bulk(bulk_of({6, 6, 6})), "version 6 after 7");
  EXPECT_EQ(checker.single(R"({"value":6})"), "version 6 after 7");
  EXPECT_NE(checker.bulk(bulk_of({7, 7})), "");
  EXPECT_NE(checker.bulk(R"({"flags":[{"key":"a"},{"key":"b"},{"key":"c"}]})"), "");
  EXPECT_NE(checker.bulk(R"({"errorDetails":"x"})"), "");
  EXPECT_NE(checker.bulk(R"({"flags":[)"), "");
  EXPECT_NE(checker.single("[]"), "");
}

// ---- stress ----

// Oracle: every flag of the file has the file's version as its value. A bulk answer holds every flag, all of one
// version (F3, G3), and on one connection no answer is older than the one before (G4, H15). Time decides nothing: the
// clients go on until each has seen the last version, and the test is whether any answer was wrong.
TEST(load, no_answer_fails_or_mixes_versions_while_the_file_changes) {  // F1, F3, G3, G4, H15
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const edited_file file;
  file.write(1);
  server_child server(FLAGSERVER, file.path());

  const auto give_up = steady_clock::now() + hang;
  std::mutex mutex;
  std::vector<std::string> problems;
  std::int64_t answers = 0, changes = 0;

  const auto client = [&](int number) {
    version_checker checker(flag_count);
    std::int64_t count = 0;
    std::string problem;
    try {
      http_client connection(server.port());
      const std::string context =
          R"({"context":{"targetingKey":"user-)" + std::to_string(number) + R"(","email":"a@example.com"}})";
      auto next = steady_clock::now();
      while (problem.empty() && checker.latest() < edits && next < give_up) {
        problem = count % 2 == 0
                      ? checker.bulk(connection.post("/ofrep/v1/evaluate/flags", context))
                      : checker.single(connection.post(
                            "/ofrep/v1/evaluate/flags/" + key(static_cast<int>(count) % flag_count), context));
        ++count;
        next += pause_between_requests;
        if (const auto now = steady_clock::now(); next < now - pause_between_requests * 10)
          next = now;  // no burst after a stall
        std::this_thread::sleep_until(next);
      }
    } catch (const std::exception& failure) {
      problem = failure.what();
    }
    const std::lock_guard lock(mutex);
    if (!problem.empty())
      problems.push_back("client " + std::to_string(number) + ", answer " + std::to_string(count) + ": " + problem);
    if (checker.latest() != edits)
      problems.push_back("client " + std::to_string(number) + " saw versions only up to " +
                         std::to_string(checker.latest()));
    answers += count;
    changes += checker.changes();
  };

  const auto begin = steady_clock::now();
  std::vector<std::thread> clients;
  for (int i = 0; i < client_count; ++i) clients.emplace_back(client, i);
  std::mt19937 random(seed);
  for (int version = 2; version <= edits; ++version) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(20, 50)(random)));
    file.write(version);
  }
  for (std::thread& each : clients) each.join();
  const std::chrono::duration<double> took = steady_clock::now() - begin;
  for (const std::string& problem : problems) ADD_FAILURE() << problem;
  EXPECT_GT(changes, client_count);  // more than the first version, or nothing was tested
  std::cout << answers << " answers in " << took.count() << " s, " << changes << " changes of version seen by "
            << client_count << " clients over " << edits << " versions\n";
  EXPECT_EQ(server.stop(), 0);
}
