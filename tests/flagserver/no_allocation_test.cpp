// SPDX-License-Identifier: Apache-2.0
// Evaluating a ready context takes nothing from the heap once warm, whatever the operator. Every operator new of this
// program counts while `counting` is on; the counter itself is shown to count.
#include <atomic>
#include <cstdlib>
#include <new>

#include "flagserver/rule.hpp"
#include "rules.hpp"

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size) {
  // plain: one thread counts
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size ? size : 1)) return p;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }

namespace flagserver {
namespace {

template <class Function>
std::size_t allocations_of(Function&& function) {
  // plain: one thread counts
  allocations.store(0, std::memory_order_relaxed);
  counting.store(true, std::memory_order_relaxed);
  function();
  counting.store(false, std::memory_order_relaxed);
  return allocations.load(std::memory_order_relaxed);
}

TEST(allocation_counter, counts) {
  EXPECT_EQ(allocations_of([] {}), 0u);
  EXPECT_GE(allocations_of([] { std::string(1000, 'x').append(2000, 'y'); }), 1u);
}

constexpr const char* context =
    R"({"context":{"targetingKey":"user-0815","email":"somebody.with.a.long.name@example.com","n":7,"half":0.5,
  "list":[3,1,2,"x",null,[1,2]],"users":[{"name":"ada","age":36},{"name":"grace","age":85}],"version":"2.4.1-rc.1",
  "text":"a text that is too long to lie inside of a string object, and then some"}})";

// every operator, with arguments that lead into its costly paths
constexpr const char* rules[] = {
    R"({"if":[{"==":[{"var":"n"},8]},"a",{"var":"text"}]})",
    R"({"?:":[{"var":"n"},{"var":"text"},"b"]})",
    R"({"and":[{"var":"n"},{"var":"text"}]})",
    R"({"or":[{"var":"nothing"},{"var":"text"}]})",
    R"({"!":[{"var":"text"}]})",
    R"({"!!":[{"var":"list"}]})",
    R"({"==":[{"var":"list"},{"cat":[{"var":"text"},{"var":"text"}]}]})",
    R"({"===":[{"var":"n"},7]})",
    R"({"!=":[{"var":"text"},{"var":"list"}]})",
    R"({"!==":[{"var":"n"},"7"]})",
    R"({"<":[{"var":"list"},{"var":"text"}]})",
    R"({"<=":[1,{"var":"n"},{"var":"half"}]})",
    R"({">":[{"var":"text"},{"var":"email"}]})",
    R"({">=":[{"var":"n"},"6.5"]})",
    R"({"+":[{"var":"n"},"1.25",{"var":"half"}]})",
    R"({"-":[{"var":"n"},"0x1F"]})",
    R"({"*":[{"var":"n"},{"var":"half"}]})",
    R"({"/":[{"var":"n"},3]})",
    R"({"%":[{"var":"n"},4]})",
    R"({"min":[{"var":"n"},{"var":"half"},"3"]})",
    R"({"max":[{"var":"n"},{"var":"half"},"3"]})",
    R"({"var":[{"cat":["users.","1",".name"]},"none"]})",
    R"({"missing":["email","phone",{"cat":["users.0.","street and house number"]}]})",
    R"({"missing_some":[2,["email","phone","fax"]]})",
    R"({"cat":["<",{"var":"text"},{"var":"list"},{"var":"half"},{"var":"users"},">"]})",
    R"({"substr":[{"cat":[{"var":"text"},{"var":"n"}]},5,-5]})",
    R"({"in":[{"var":"n"},{"cat":[{"var":"text"},{"var":"n"}]}]})",
    R"({"in":[{"var":"email"},["a","b","c","d","e","f","g","h","i","j"]]})",
    R"({"merge":[{"var":"list"},{"var":"users"},[1,2,3],{"var":"n"}]})",
    R"({"log":[{"var":"text"}]})",
    R"({"map":[{"var":"users"},{"cat":[{"var":"name"},", whose age in years is ",{"var":"age"}]}]})",
    R"({"filter":[{"var":"list"},{"var":""}]})",
    R"({"reduce":[{"var":"users"},{"cat":[{"var":"accumulator"},{"var":"current.name"},"; "]},"names: "]})",
    R"({"all":[{"var":"users"},{">":[{"var":"age"},30]}]})",
    R"({"none":[{"var":"users"},{"<":[{"var":"age"},30]}]})",
    R"({"some":[{"var":"users"},{"<":[{"var":"age"},40]}]})",
    R"({"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"email"}]},["a",1],["b",{"var":"n"}]]})",
    R"({"fractional":[{"var":"users.0"},["a",1],["b",2]]})",
    R"({"fractional":[["a",1],["b",2]]})",
    R"({"starts_with":[{"var":"email"},"somebody"]})",
    R"({"ends_with":{"var":"list.5"}})",
    R"({"sem_ver":[{"var":"version"},"<",{"var":"half"}]})",
    R"({"$ref":"staff"})",
    R"({"if":[{"<":[1,{"var":"$flagd.timestamp"}]},{"var":"nothing"},"a"]})",
    R"([{"var":"n"},[{"var":"text"},1]])",
};

/// A flag whose rule is wrapped so that its result, whatever it is, leads to an answer.
std::string flags_text() {
  std::string text =
      R"({"metadata":{"owner":"team"},"$evaluators":{"staff":{"ends_with":[{"var":"email"},"@example.com"]}},"flags":{)";
  text +=
      R"("plain":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a"},"off":{"state":"DISABLED","variants":{"a":1}})";
  int i = 0;
  for (const char* rule : rules) {
    text += ",\"flag number " + std::to_string(i++) +
            R"(":{"state":"ENABLED","variants":{"a":1,"b":2},"defaultVariant":"a","targeting":{"if":[)" + rule +
            R"(,"a","b"]}})";
  }
  return text + "}}";
}

TEST(no_allocation, in_any_operator_once_warm) {
  std::string all;
  for (const char* rule : rules) all += rule;
#define FLAGSERVER_OPERATOR(name, written) \
  EXPECT_NE(all.find("{\"" written "\":"), std::string::npos) << "not covered: " << written;
  FLAGSERVER_OPERATORS(FLAGSERVER_OPERATOR)
#undef FLAGSERVER_OPERATOR

  for (const auto version : {fractional_version::v2, fractional_version::v3}) {
    const auto flags = sound_flags(flags_text(), version);
    ASSERT_TRUE(flags);
    evaluation e;
    const selector everything;
    std::string out;
    const auto evaluate = [&](const std::string& key) {
      out.clear();
      return e.evaluate(*flags, everything, key, out);
    };
    ASSERT_TRUE(e.read_request(context)) << e.error();
    for (std::size_t i = 0; i < std::size(rules); ++i) {
      const std::string key = "flag number " + std::to_string(i);
      EXPECT_EQ(evaluate(key), 200) << rules[i] << ": " << out;
      EXPECT_EQ(allocations_of([&] { evaluate(key); }), 0u) << rules[i];
    }
    const std::string plain = "plain", off = "off", absent = "absent";
    for (const std::string& key : {plain, off, absent}) {
      evaluate(key);
      EXPECT_EQ(allocations_of([&] { evaluate(key); }), 0u) << key;
    }
  }
}

TEST(no_allocation, in_reading_a_request_and_answering_for_all_flags_once_warm) {
  const auto flags = sound_flags(flags_text());
  ASSERT_TRUE(flags);
  evaluation e;
  const selector everything;
  std::string out;
  const auto answer = [&] {
    out.clear();
    EXPECT_TRUE(e.read_request(context));
    e.evaluate_all(*flags, everything, out);
    EXPECT_NE(e.context_hash(), 0u);
  };
  answer();
  answer();
  EXPECT_EQ(allocations_of(answer), 0u);
}

}  // namespace
}  // namespace flagserver
