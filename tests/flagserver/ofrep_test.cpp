// SPDX-License-Identifier: Apache-2.0
// The protocol without sockets: from a request and a snapshot to an answer.
#include <flagserver/entity_tag.hpp>
#include <flagserver/ofrep.hpp>

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

namespace {

namespace json = boost::json;
using namespace flagserver;

constexpr std::string_view base = "/ofrep/v1/evaluate/flags";

constexpr std::string_view flags_text = R"({
  "metadata": {"owner": "tests"},
  "flags": {
    "switch": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "off": {"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "a/b c?é": {"state": "ENABLED", "variants": {"x": "odd key"}, "defaultVariant": "x"},
    "100%": {"state": "ENABLED", "variants": {"x": "percent"}, "defaultVariant": "x"},
    "paid": {"state": "ENABLED", "variants": {"yes": 1, "no": 0}, "defaultVariant": "no",
             "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "yes", "no"]}},
    "in-set": {"state": "ENABLED", "variants": {"x": "set"}, "defaultVariant": "x", "metadata": {"flagSetId": "blue"}}
  }})";

std::unique_ptr<flag_set> make_flags(std::string_view text = flags_text) {
  parse_result result = parse_flags(text, text_format::json, fractional_version::v2);
  for (const diagnostic& d : result.diagnostics) ADD_FAILURE() << d.line << ':' << d.column << ' ' << d.message;
  return std::move(result.flags);
}

using header = std::pair<std::string_view, std::string_view>;

class ofrep_test : public testing::Test {
 protected:
  http_response ask(std::string_view method, std::string_view target, std::string_view body,
                    std::initializer_list<header> headers = {{"Content-Type", "application/json; charset=utf-8"}}) {
    http_request request;
    request.method = method;
    request.target = target;
    request.body = body;
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    http_response response;
    protocol.answer(request, flags.get(), response);
    return response;
  }
  http_response ask_flag(std::string_view raw_key, std::string_view body = R"({"context":{"targetingKey":"u1"}})") {
    return ask("POST", std::string(base) + "/" + std::string(raw_key), body);
  }
  http_response ask_bulk(std::string_view body, std::initializer_list<header> headers = {}) {
    return ask("POST", base, body, headers);
  }
  static json::object object(const http_response& response) { return json::parse(response.body).as_object(); }
  static std::string text(const http_response& response, std::string_view name) {
    const json::object fields = object(response);
    const json::value* field = fields.if_contains(name);
    return field != nullptr && field->is_string() ? std::string(field->as_string()) : "(none)";
  }

  std::unique_ptr<flag_set> flags = make_flags();
  ofrep protocol;
};

// ---- one flag ----

TEST_F(ofrep_test, a_flag_is_answered_with_value_variant_reason_and_metadata) {
  const http_response response = ask_flag("switch");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(
      json::parse(response.body),
      json::parse(R"({"key":"switch","value":true,"variant":"on","reason":"STATIC","metadata":{"owner":"tests"}})"));
  EXPECT_EQ(response.entity_tag, "");
}

TEST_F(ofrep_test, the_context_of_the_request_decides_targeting) {
  EXPECT_EQ(object(ask_flag("paid", R"({"context":{"plan":"gold"}})")).at("value").to_number<int>(), 1);
  EXPECT_EQ(object(ask_flag("paid", R"({"context":{"plan":"tin"}})")).at("value").to_number<int>(), 0);
}

TEST_F(ofrep_test, a_disabled_flag_has_no_value) {
  const http_response response = ask_flag("off");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(text(response, "reason"), "DISABLED");
  EXPECT_FALSE(object(response).contains("value"));
}

TEST_F(ofrep_test, a_key_is_everything_behind_the_path_with_escapes_decoded) {
  EXPECT_EQ(text(ask_flag("a%2Fb%20c%3F%C3%A9"), "value"), "odd key");
  EXPECT_EQ(text(ask_flag("a/b%20c%3f%c3%a9"), "value"), "odd key");
  EXPECT_EQ(text(ask_flag("100%25"), "value"), "percent");
  EXPECT_EQ(text(ask_flag("100%"), "value"), "percent");  // older clients encode nothing
  EXPECT_EQ(text(ask_flag("switch?x=1"), "key"), "switch");
  EXPECT_EQ(text(ask_flag("nope%2"), "key"), "nope%2");
  EXPECT_EQ(text(ask_flag("switch/"), "key"), "switch/");
  EXPECT_EQ(text(ask("POST", "http://localhost:8016" + std::string(base) + "/switch", ""), "key"), "switch");
}

TEST_F(ofrep_test, a_missing_flag_is_404_with_its_key) {
  const http_response response = ask_flag("no%22such");
  EXPECT_EQ(response.status, 404U);
  EXPECT_EQ(text(response, "key"), "no\"such");
  EXPECT_EQ(text(response, "errorCode"), "FLAG_NOT_FOUND");
}

TEST_F(ofrep_test, a_key_that_is_not_utf8_is_refused_in_valid_json) {
  const http_response response = ask_flag("x%FFy");
  EXPECT_EQ(response.status, 400U);
  EXPECT_EQ(text(response, "errorCode"), "GENERAL");
  EXPECT_EQ(text(response, "key"), "x\xEF\xBF\xBDy");
}

// ---- bodies and headers ----

TEST_F(ofrep_test, broken_json_is_an_invalid_context) {
  for (const std::string_view body : {"{", "[1,", "nope", "{\"context\":{\"a\":}}", "{} {}", "\xff"}) {
    const http_response single = ask_flag("switch", body);
    EXPECT_EQ(single.status, 400U) << body;
    EXPECT_EQ(text(single, "errorCode"), "INVALID_CONTEXT") << body;
    EXPECT_EQ(text(single, "key"), "switch") << body;
    const http_response bulk = ask_bulk(body);
    EXPECT_EQ(bulk.status, 400U) << body;
    EXPECT_EQ(text(bulk, "errorCode"), "INVALID_CONTEXT") << body;
    EXPECT_FALSE(object(bulk).contains("key")) << body;
  }
}

TEST_F(ofrep_test, no_body_no_context_and_a_context_of_another_type_are_an_empty_context) {
  for (const std::string_view body : {"", "{}", R"({"context":null})", R"({"context":7})", R"({"context":{}})"})
    EXPECT_EQ(object(ask_flag("paid", body)).at("value").to_number<int>(), 0) << body;
}

TEST_F(ofrep_test, a_body_of_another_type_is_415) {
  const auto status = [&](std::initializer_list<header> headers) {
    return ask("POST", std::string(base) + "/switch", "{}", headers).status;
  };
  EXPECT_EQ(status({}), 200U);
  EXPECT_EQ(status({{"content-type", "Application/JSON"}}), 200U);
  EXPECT_EQ(status({{"Content-Type", "application/problem+json;charset=utf-8"}}), 200U);
  EXPECT_EQ(status({{"Content-Type", "application/x-www-form-urlencoded"}}), 200U) << "what curl -d says of any body";
  EXPECT_EQ(status({{"Content-Type", "text/json"}}), 415U);
  EXPECT_EQ(status({{"Content-Type", "application/jsonp"}}), 415U);
  EXPECT_EQ(status({{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}), 415U);
  EXPECT_EQ(ask("POST", std::string(base) + "/switch", "", {{"Content-Type", "text/plain"}}).status, 200U);
}

TEST_F(ofrep_test, a_selector_chooses_among_flag_sets) {
  const auto keys = [&](std::string_view chosen) {
    std::string all;
    const http_response response = ask_bulk("{}", {{"Flagd-Selector", chosen}});
    const json::object fields = object(response);
    if (response.status == 200)
      for (const json::value& each : fields.at("flags").as_array())
        all += std::string(each.at("key").as_string()) + ' ';
    return all;
  };
  EXPECT_EQ(keys("flagSetId=blue"), "in-set ");
  EXPECT_EQ(keys("flagSetId=").find("in-set"), std::string::npos);
  EXPECT_NE(keys("").find("in-set"), std::string::npos);
  const std::string path = std::string(base) + "/switch";
  EXPECT_EQ(ask("POST", path, "{}", {{"flagd-selector", "flagSetId=blue"}}).status, 404U);
  const http_response unknown = ask("POST", path, "{}", {{"Flagd-Selector", "colour=blue"}});
  EXPECT_EQ(unknown.status, 400U);
  EXPECT_EQ(text(unknown, "errorCode"), "GENERAL");
  EXPECT_NE(text(unknown, "errorDetails").find("colour"), std::string::npos) << unknown.body;
}

// ---- paths, methods, readiness ----

TEST_F(ofrep_test, another_path_is_404_in_json) {
  for (const std::string_view path :
       {"/", "/ofrep/v1/evaluate", "/ofrep/v1/evaluate/flagsx", "/ofrep/v1/evaluate/flag/x", "", "*",
        "//ofrep/v1/evaluate/flags", "example.com:80"}) {
    const http_response response = ask("POST", path, "{}");
    EXPECT_EQ(response.status, 404U) << path;
    EXPECT_NE(text(response, "errorDetails"), "(none)") << path;
  }
}

TEST_F(ofrep_test, another_method_is_405_and_told_which_are_allowed) {
  for (const std::string_view method : {"GET", "HEAD", "PUT", "DELETE", "PATCH", "post", "BREW"}) {
    const http_response response = ask(method, std::string(base) + "/switch", "");
    EXPECT_EQ(response.status, 405U) << method;
    EXPECT_EQ(response.allow, "POST, OPTIONS") << method;
    EXPECT_EQ(text(response, "key"), "switch") << method;
  }
  EXPECT_EQ(ask("OPTIONS", base, "").status, 204U);
  EXPECT_EQ(ask("OPTIONS", base, "").allow, "POST, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "*", "").status, 204U);
}

TEST_F(ofrep_test, before_the_first_snapshot_the_answer_is_503) {
  flags.reset();
  for (const http_response& response : {ask_flag("switch"), ask_bulk("{}")}) {
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(response.retry_after_seconds, 1U);
    EXPECT_EQ(text(response, "errorCode"), "PROVIDER_NOT_READY");
  }
}

// ---- bulk and its validators ----

TEST_F(ofrep_test, bulk_answers_every_flag_in_order) {
  const http_response response = ask("POST", std::string(base) + "/", "{}");
  EXPECT_EQ(response.status, 200U);
  const json::object fields = object(response);
  EXPECT_EQ(fields.at("flags").as_array().size(), flags->size());
  EXPECT_EQ(fields.at("metadata"), json::parse("{}"));
  EXPECT_EQ(object(ask_bulk("{}", {{"Flagd-Selector", "flagSetId=blue"}})).at("metadata"),
            json::parse(R"({"flagSetId":"blue"})"));
  EXPECT_EQ(response.entity_tag.substr(0, flags->revision().size() + 2), '"' + flags->revision() + '-');
  EXPECT_EQ(response.entity_tag.size(), flags->revision().size() + 19);
}

TEST_F(ofrep_test, a_known_tag_is_answered_304_without_a_body) {
  const std::string tag = ask_bulk("{}").entity_tag;
  for (const std::string& known : {tag, "W/" + tag, "\"x\", " + tag, tag + ",\"y\"", std::string("*"),
                                   tag.substr(1, tag.size() - 2), "\"a,b\" ,W/" + tag + " , \"c\""}) {
    const http_response response = ask_bulk("{}", {{"If-None-Match", known}});
    EXPECT_EQ(response.status, 304U) << known;
    EXPECT_EQ(response.body, "") << known;
    EXPECT_EQ(response.entity_tag, tag) << known;
  }
  EXPECT_EQ(ask_bulk("{}", {{"If-None-Match", "\"x\""}, {"if-none-match", tag}}).status, 304U);
  for (const std::string& known : {std::string("\"x\""), std::string(","), tag.substr(0, 10), "\"" + tag, tag + "0"})
    EXPECT_EQ(ask_bulk("{}", {{"If-None-Match", known}}).status, 200U) << known;
}

TEST_F(ofrep_test, another_context_or_selector_or_version_has_another_tag) {
  const std::string body = R"({"context":{"targetingKey":"u1","plan":"gold"}})";
  const std::string tag = ask_bulk(body).entity_tag;
  EXPECT_EQ(ask_bulk(R"({"context":{"plan":"gold", "targetingKey":"u1"}})").entity_tag, tag);
  // The tag of a configuration alone answers 304 to a context that changed, which has been a bug of other servers.
  EXPECT_NE(ask_bulk(R"({"context":{"targetingKey":"u1","plan":"tin"}})").entity_tag, tag);
  EXPECT_NE(ask_bulk(body, {{"Flagd-Selector", "flagSetId=blue"}}).entity_tag, tag);
  EXPECT_NE(ask_bulk(body, {{"Flagd-Selector", "flagSetId="}}).entity_tag, tag);
  flags = make_flags(R"({"flags":{}})");
  EXPECT_NE(ask_bulk(body).entity_tag, tag);
}

TEST_F(ofrep_test, a_304_is_not_given_for_an_answer_that_the_time_has_changed) {
  flags =
      make_flags(R"({"flags":{"clock":{"state":"ENABLED","variants":{"past":"p","future":"f"},"defaultVariant":"past",
    "targeting":{"if":[{">":[{"var":"$flagd.timestamp"},{"var":"limit"}]},"past","future"]}}}})");
  const std::string past = R"({"context":{"limit":1}})";
  const http_response first = ask_bulk(past);
  EXPECT_EQ(ask_bulk(past, {{"If-None-Match", first.entity_tag}}).status, 304U);
  // The tag is of the body, so what has the same body has the same tag, and nothing else has.
  EXPECT_EQ(ask_bulk(R"({"context":{"limit":2}})").entity_tag, first.entity_tag);
  EXPECT_NE(ask_bulk(R"({"context":{"limit":99999999999}})").entity_tag, first.entity_tag);
}

TEST_F(ofrep_test, one_object_answers_request_after_request_alike) {
  const http_response alone = ask_flag("paid", R"({"context":{"plan":"gold"}})");
  ask_flag("paid", "{\"context\":");
  ask_bulk(R"({"context":{"plan":"gold"}})", {{"Flagd-Selector", "flagSetId=blue"}});
  EXPECT_EQ(ask_flag("paid", R"({"context":{"plan":"gold"}})").body, alone.body);
  EXPECT_EQ(object(ask_flag("paid", "{}")).at("value").to_number<int>(), 0);
}

}  // namespace
