// SPDX-License-Identifier: Apache-2.0
// What bytes become which request, and which answer a request gets that is none.
#include <flagserver/http_reader.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

namespace {

using flagserver::http_reader;
using state = http_reader::state;

constexpr std::size_t header_limit = 1024;
constexpr std::uint64_t body_limit = 100;

/// Feeds `bytes` as a connection does: in pieces of `piece`, offering again what was not taken.
void feed_in_pieces(http_reader& reader, std::string_view bytes, std::size_t piece) {
  std::string waiting;
  while ((reader.current() == state::empty || reader.current() == state::partial) && !bytes.empty()) {
    waiting += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    waiting.erase(0, reader.feed(waiting));
  }
}

unsigned failure_of(std::string_view bytes) {
  unsigned status = 0;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    http_reader reader(header_limit, body_limit);
    feed_in_pieces(reader, bytes, piece);
    EXPECT_EQ(reader.current(), state::failed) << bytes.substr(0, 200) << " in pieces of " << piece;
    EXPECT_TRUE(status == 0 || reader.failure().status == status) << bytes.substr(0, 200) << " in pieces of " << piece;
    status = reader.failure().status;
    EXPECT_NE(reader.failure().body.find("errorDetails"), std::string::npos);
  }
  return status;
}

TEST(http_reader, a_request_is_the_same_however_its_bytes_arrive) {
  const std::string bytes =
      "\r\nPOST /a?b HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"1\"\r\ncontent-length: 5\r\nIF-NONE-MATCH:\t\"2\" "
      "\r\n\r\nhello";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    http_reader reader(header_limit, body_limit);
    feed_in_pieces(reader, bytes, piece);
    ASSERT_EQ(reader.current(), state::complete) << piece;
    EXPECT_EQ(reader.request().method, "POST");
    EXPECT_EQ(reader.request().target, "/a?b");
    EXPECT_EQ(reader.request().body, "hello");
    EXPECT_EQ(reader.request().headers.get("if-none-match"), "\"1\", \"2\"");
    EXPECT_EQ(reader.request().headers.first("If-None-Match"), "\"1\"");
    EXPECT_EQ(reader.request().headers.get("absent"), std::nullopt);
    EXPECT_TRUE(reader.keep_alive());
  }
}

TEST(http_reader, chunks_are_joined_and_trailers_change_nothing) {
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\n"
      "Host: y\r\nFlagd-Selector: z\r\n\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    http_reader reader(header_limit, body_limit);
    feed_in_pieces(reader, bytes, piece);
    ASSERT_EQ(reader.current(), state::complete) << piece;
    EXPECT_EQ(reader.request().body, "hello");
    EXPECT_EQ(reader.request().headers.count("Flagd-Selector"), 0U);
  }
}

TEST(http_reader, requests_that_arrive_together_come_out_one_by_one) {
  const std::string one = "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na";
  const std::string two = "GET /2 HTTP/1.0\r\n\r\n";
  const std::string bytes = one + two;
  http_reader reader(header_limit, body_limit);
  EXPECT_EQ(reader.feed(bytes), one.size());
  EXPECT_EQ(reader.current(), state::complete);
  EXPECT_EQ(reader.request().target, "/1");
  reader.next();
  EXPECT_EQ(reader.current(), state::empty);
  EXPECT_EQ(reader.feed(std::string_view(bytes).substr(one.size())), two.size());
  EXPECT_EQ(reader.request().target, "/2");
  EXPECT_EQ(reader.request().body, "");
  EXPECT_TRUE(reader.http_1_0());
  EXPECT_FALSE(reader.keep_alive());
}

TEST(http_reader, the_client_decides_whether_the_connection_stays) {
  const auto keeps = [](std::string_view version, std::string_view fields) {
    http_reader reader(header_limit, body_limit);
    reader.feed("GET / HTTP/" + std::string(version) + "\r\nHost: x\r\n" + std::string(fields) + "\r\n");
    return reader.keep_alive();
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: keep-alive\r\n"));
}

TEST(http_reader, what_is_no_request_is_400) {
  const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(failure_of("\x16\x03\x01\x02\x01 is a TLS hello\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(" GET / HTTP/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "no colon\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Space : x\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("POST / HTTP/1.1\r\n\r\n"), 400U);  // no Host
  EXPECT_EQ(failure_of(start + "Host: y\r\n\r\n"), 400U);  // two
  EXPECT_EQ(failure_of(start + "Content-Length: 5x\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Content-Length: -1\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Content-Length:\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Content-Length: 99999999999999999999999\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), 400U);
}

TEST(http_reader, a_request_with_two_readings_of_its_length_is_refused) {
  // Two servers that disagree about where a request ends let one client write another's request (smuggling).
  const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(failure_of(start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), 400U);
  EXPECT_EQ(failure_of(start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: gzip\r\n\r\n"), 501U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: chunked, gzip\r\n\r\n"), 501U);
  EXPECT_EQ(failure_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400U);
}

TEST(http_reader, other_versions_of_http_are_505) {
  EXPECT_EQ(failure_of("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505U);
  EXPECT_EQ(failure_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505U);
}

TEST(http_reader, headers_over_the_limit_are_431_also_when_they_come_slowly) {
  EXPECT_EQ(failure_of("GET /" + std::string(2 * header_limit, 'a')), 431U);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(2 * header_limit, 'a')), 431U);
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  while (many.size() < 2 * header_limit) many += "A: 1\r\n";
  EXPECT_EQ(failure_of(many), 431U);
  EXPECT_EQ(failure_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                       std::string(2 * header_limit, 'a')),
            431U);
}

TEST(http_reader, bodies_over_the_limit_are_413_however_they_say_their_length) {
  const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(failure_of(start + "Content-Length: 101\r\n\r\n"), 413U);
  EXPECT_EQ(failure_of(start + "Content-Length: 18446744073709551615\r\n\r\n"), 413U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: chunked\r\n\r\n65\r\n"), 413U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"), 413U);
  EXPECT_EQ(
      failure_of(start + "Transfer-Encoding: chunked\r\n\r\n60\r\n" + std::string(96, 'a') + "\r\n5\r\nhello\r\n"),
      413U);
  http_reader reader(header_limit, body_limit);
  reader.feed(start + "Content-Length: 100\r\n\r\n" + std::string(100, 'a'));
  EXPECT_EQ(reader.current(), state::complete);
}

TEST(http_reader, a_client_that_waits_to_be_told_to_go_on_is_noticed) {
  const auto waits = [](std::string_view bytes) {
    http_reader reader(header_limit, body_limit);
    feed_in_pieces(reader, bytes, bytes.size());
    return reader.wants_continue();
  };
  const std::string start = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n";
  EXPECT_TRUE(waits(start + "Content-Length: 5\r\n\r\n"));
  EXPECT_TRUE(waits(start + "Transfer-Encoding: chunked\r\n\r\n"));
  EXPECT_FALSE(waits(start + "Content-Length: 5\r\n\r\nh"));
  EXPECT_FALSE(waits(start + "Content-Length: 5\r\n"));
  EXPECT_FALSE(waits(start + "Content-Length: 500\r\n\r\n"));
  EXPECT_FALSE(waits("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"));
}

TEST(http_reader, no_bytes_whatever_make_it_stop_making_sense) {
  // Valid requests with a few bytes changed, in random pieces. The reader has to end in some state without taking more
  // than it is given; the sanitizers watch the rest.
  const std::string seed_text =
      "POST /ofrep HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-continue\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n";
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  std::size_t whole = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = seed_text + seed_text;
    for (std::size_t change = below(4); change-- > 0;) bytes[below(bytes.size())] = static_cast<char>(below(256));
    if (below(4) == 0) bytes.erase(below(bytes.size()), below(20));
    http_reader reader(header_limit, body_limit);
    std::string waiting;
    for (std::string_view rest = bytes; !rest.empty() && reader.current() != state::failed;) {
      const std::size_t piece = std::min(rest.size(), 1 + below(60));
      waiting += rest.substr(0, piece);
      rest.remove_prefix(piece);
      for (;;) {
        const std::size_t taken = reader.feed(waiting);
        ASSERT_LE(taken, waiting.size());
        waiting.erase(0, taken);
        if (reader.current() != state::complete) break;
        ++whole;
        reader.next();
        if (waiting.empty()) break;
      }
    }
  }
  EXPECT_GT(whole, 1000U);
}

}  // namespace
