// Connections that are dialled when wanted, lent to one at a time, and kept for the next.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/resource_pool.hpp>

#include <cstdio>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

struct connection {
  explicit connection(const std::string& to) : host(to) { std::printf("dialled %s\n", to.c_str()); }
  connection(const connection&) = delete;  // it stays where it was made
  connection& operator=(const connection&) = delete;
  ~connection() { std::printf("hung up on %s\n", host.c_str()); }
  bool ask(const char* question) {
    std::printf("asked %s: %s\n", host.c_str(), question);
    return ++questions != 3;
  }
  const std::string host;
  int questions = 0;
};

connection dial(const std::string& host, const std::stop_token& stop) {
  if (stop.stop_requested() || host == "nowhere") throw std::runtime_error("cannot reach " + host);
  return connection(host);
}
bool still_open(connection& link) { return link.questions < 5; }

enum class outcome { answered, busy, lost };
outcome done() { return outcome::answered; }
outcome busy() { return outcome::busy; }
outcome lost() { return outcome::lost; }

acqrel::resource_pool<std::string, connection> pool(dial, {.most_per_key = 4, .idle_for = 30s, .healthy = still_open});

outcome ask(const char* host, const char* question) {
  auto link = pool.acquire_for(host, 100ms);                    // an idle one; else dials; else waits for its turn
  if (!link) return busy();                                     // the time was up, or the pool is closed
  if (!link->ask(question)) return link.mark_broken(), lost();  // nobody gets this one again
  return done();                                                // the brace gives it back
}

}  // namespace

int main() {
  for (int i = 0; i != 4; ++i) {
    if (ask("earth", "who is there?") == outcome::lost) std::puts("lost");
  }
  try {
    (void)ask("nowhere", "anybody?");
  } catch (const std::runtime_error& error) {
    std::puts(error.what());
  }
  std::printf("%zu open\n", pool.count().open);
  pool.close();
  return ask("earth", "still there?") == outcome::busy ? 0 : 1;
}
