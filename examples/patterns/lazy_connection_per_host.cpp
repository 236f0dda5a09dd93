// docs/patterns/lazy-connection-per-host.md: dialled when wanted, by whoever wants it; one user at a time; a failure heals.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/keyed/resource_pool.hpp>

#include <cstdio>
#include <map>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

// A socket of which only this is of interest here: that it may break, and that two must not write to it at once.
struct connection {
  bool is_open() const { return !broken; }
  bool send(const std::string& text) { return std::printf("sent %s\n", text.c_str()) > 0 && !broken; }
  bool broken = false;
};
bool network_is_down = false;
connection connect_to(const std::string& host, const std::stop_token&) {
  if (network_is_down) throw std::runtime_error("cannot reach " + host);
  return {};
}

}  // namespace

// [connections]
class connections {
 public:
  // False: nobody took it within the time.
  bool send(const std::string& host, const std::string& text, std::chrono::milliseconds time) {
    auto link = pool_.acquire_for(host, time);
    if (!link) return false;
    const bool sent = link->send(text);
    if (!sent) link.mark_broken();
    return sent;
  }
  // Now and then, from a timer: hangs up on hosts that nobody asks for any more.
  void tidy_up() { pool_.drop_expired(); }
  void close() { pool_.close(); }

 private:
  acqrel::resource_pool<std::string, connection> pool_{
      [](const std::string& host, const std::stop_token& stop) { return connect_to(host, stop); },
      {.most_per_key = 4,
       .idle_for = 1min,
       .healthy = [](connection& link) { return link.is_open(); },
       .backoff = [](std::uint32_t failures) noexcept -> std::chrono::nanoseconds {
         return failures < 6 ? 50ms * (1 << failures) : 3s;
       }}};
};
// [/connections]

namespace wrong {

// [connections-wrong]
class connections {
 public:
  connection& get(const std::string& host) {
    entry* mine = nullptr;
    {
      const std::lock_guard lock(mutex_);
      mine = &entries_[host];
    }
    std::call_once(mine->once, [&] {
      try {
        mine->link = connect_to(host, {});
      } catch (...) {
        mine->error = std::current_exception();
      }
    });
    if (mine->error) std::rethrow_exception(mine->error);
    return mine->link;
  }

 private:
  struct entry {
    std::once_flag once;
    connection link;
    std::exception_ptr error;
  };
  std::mutex mutex_;
  std::map<std::string, entry> entries_;
};
// [/connections-wrong]

}  // namespace wrong

int main() {
  connections all;
  network_is_down = true;
  try {
    (void)all.send("earth", "hello", 1s);
  } catch (const std::runtime_error& error) {
    std::puts(error.what());
  }
  network_is_down = false;
  const bool mars = all.send("mars", "hello", 1s);  // another host: no failure of its own
  wrong::connections never;
  network_is_down = true;
  for (int i = 0; i != 2; ++i) {
    try {
      (void)never.get("earth");
      return 1;
    } catch (const std::runtime_error&) {
      network_is_down = false;  // the second time it is up, and still an error
    }
  }
  all.tidy_up();
  all.close();
  return mars && !all.send("mars", "hello", 1s) ? 0 : 1;
}
