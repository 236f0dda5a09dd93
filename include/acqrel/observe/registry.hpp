// acqrel/observe/registry.hpp - the numbers of a service by name and labels, as Prometheus reads them.
//
//   acqrel::registry numbers;
//   acqrel::sharded_counter& ok = numbers.counter("http_requests_total", "Answers sent.", {{"code", "200"}});
//   acqrel::histogram& took = numbers.histogram("http_request_seconds", "Time to answer.", {0.001, 0.01, 0.1, 1});
//   ok.add();                                         // any thread, without the registry
//   took.observe(seconds);
//   send(numbers.prometheus());                       // what GET /metrics answers
//
// Publishes  a series, to whoever asks for all or for the same again.
// Edges      none of its own: a mutex.
// Progress   blocking: a mutex, never held while a function of the user runs. The numbers themselves know nothing of it.
// Memory     a series some 300 bytes and what its number takes; none is ever removed, so handles stay good. Of one name at most
//            options::series; whatever labels come then share one more, whose only label is overflow="true".
// Threads    any. Handles live as long as the registry.
// Errors     std::invalid_argument for what Prometheus would refuse: a name, a label, a counter not named _total, a name
//            that is another kind of number already, or has other bounds. std::bad_alloc.
// Cost       finding a series: a lock and two searches: do it once and keep the handle. Bench registry/find.
// Model      none: one mutex holds all of it.
// Not for    labels without end (users, addresses, paths): that is a log.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/observe/gauge.hpp>
#include <acqrel/observe/histogram.hpp>
#include <acqrel/observe/sharded_counter.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

namespace acqrel {

class registry {
 public:
  using labels = std::map<std::string, std::string>;
  enum class kind : std::uint8_t { counter, gauge, histogram };

  /// One series: its number, of which there is the one that its family's kind says.
  struct series {
    registry::labels labels;
    double value = 0;
    acqrel::histogram::values values = {};
  };
  struct family {
    std::string name, help;
    registry::kind kind{};
    std::vector<registry::series> series;
  };

  struct options {
    std::size_t series = 1000;  ///< of one name
  };
  registry() : registry(options()) {}
  explicit registry(options how);
  ~registry();
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;

  /// The number of this name and these labels: the same one each time, made by the first who asks. Units stand in the
  /// name, as Prometheus has it: http_request_seconds, cache_bytes.
  sharded_counter& counter(std::string_view name, std::string_view help, const labels& of = {});
  acqrel::gauge& gauge(std::string_view name, std::string_view help, const labels& of = {});
  acqrel::histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                               const labels& of = {});
  /// A number that is asked for when all are: `value` is called by any thread, under no lock, and is kept as long as the
  /// registry. Of a kind without buckets. Once for each name and labels.
  void ask(kind what, std::string_view name, std::string_view help, const labels& of, std::function<double()> value);

  /// A copy of all, by name. Each number is from some moment of the call.
  [[nodiscard]] std::vector<family> read() const;
  /// The text formats of Prometheus (text/plain; version=0.0.4) and OpenMetrics (application/openmetrics-text;
  /// version=1.0.0), which has the examples of histograms too.
  [[nodiscard]] std::string prometheus() const;
  [[nodiscard]] std::string openmetrics() const;
  /// How often labels were asked for that share the series of what found no room.
  [[nodiscard]] std::uint64_t overflowed() const noexcept { return overflowed_.value(); }

 private:
  struct entry;
  struct named;
  template <class Fill>
  entry& find(std::string_view name, std::string_view help, kind what, const labels& of, Fill fill);

  const options options_;
  sharded_counter overflowed_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<named>, std::less<>> families_;
};

}  // namespace acqrel
