// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "report.hpp"

namespace acqrel::model {
namespace {

// Of the axioms and of the exploration: a token means an execution only under the same.
constexpr unsigned model_version = 1;

// FNV-1a: short, and the same everywhere.
class fingerprint {
 public:
  void add(std::uint64_t word) {
    for (unsigned i = 0; i < 8; ++i) {
      hash_ = (hash_ ^ (word & 0xff)) * 0x100000001b3;
      word >>= 8;
    }
  }
  void add(const std::string& text) {
    for (const char c : text) add(static_cast<unsigned char>(c));
  }
  std::uint32_t value() const { return static_cast<std::uint32_t>(hash_ ^ (hash_ >> 32)); }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

std::uint32_t of_name(const std::string& program) {
  fingerprint f;
  f.add(program);
  return f.value();
}

}  // namespace

std::uint32_t shape_of(const graph& g, const std::array<unsigned, max_threads>& made) {
  fingerprint f;
  // Objects by first use: their places in the graph depend on the way that led there.
  std::vector<std::uint16_t> number(g.objects().size(), 0);
  std::uint16_t next = 0;
  for (unsigned t = 0; t < g.threads(); ++t) {
    f.add(~t);
    for (unsigned i = 0; i < std::min(g.size(t), made[t]); ++i) {
      const event& e = g.of(t)[i];
      f.add(static_cast<std::uint64_t>(e.what) | static_cast<std::uint64_t>(e.how) << 8 |
            static_cast<std::uint64_t>(e.rmw.how) << 16 | std::uint64_t{e.peer} << 24);
      if (e.what != kind::read && e.what != kind::write) continue;
      if (number[e.object] == 0) number[e.object] = ++next;
      f.add(number[e.object]);
    }
  }
  return f.value();
}

std::string seal_token(const std::string& choices, const std::string& program, std::uint32_t shape) {
  char head[40];
  std::snprintf(head, sizeof head, "%u-%08x-%08x-", model_version, of_name(program), shape);
  return head + choices;
}

opened_token open_token(const std::string& token, const std::string& program) {
  opened_token out;
  unsigned version = 0, name = 0;
  int length = 0;
  if (std::sscanf(token.c_str(), "%u-%8x-%8x-%n", &version, &name, &out.shape, &length) != 3 || length == 0) {
    out.wrong = "`" + token + "` is no replay token; give options::replay what a failed check printed after `replay`.";
  } else if (version != model_version) {
    out.wrong = "the replay token is of version " + std::to_string(version) + " of the checker, which is at " +
                std::to_string(model_version) + "; run the check without it and take the new one.";
  } else if (name != of_name(program)) {
    out.wrong = "the replay token is of another test than `" + program + "`; give it to the test that printed it.";
  } else {
    out.choices = token.substr(static_cast<std::size_t>(length));
  }
  return out;
}

std::string stale_token(const std::string& token) {
  return "the replay token `" + token +
         "` is stale: the test does other operations than when it was printed; run the check without it and take the "
         "new one.";
}

}  // namespace acqrel::model
