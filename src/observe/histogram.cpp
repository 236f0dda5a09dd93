// SPDX-License-Identifier: Apache-2.0
#include <acqrel/observe/histogram.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace acqrel {
namespace {

std::vector<double> checked(std::vector<double> bounds) {
  if (bounds.size() > histogram::most_bounds)
    throw std::invalid_argument("acqrel: histogram: " + std::to_string(bounds.size()) + " bounds; give " +
                                std::to_string(histogram::most_bounds) + " at most");
  for (std::size_t i = 0; i != bounds.size(); ++i) {
    const std::string which = "acqrel: histogram: bound " + std::to_string(i) + ", " + std::to_string(bounds[i]) + ", ";
    if (!std::isfinite(bounds[i]))
      throw std::invalid_argument(which + "is not finite: what lies above all bounds has a bucket anyhow");
    if (i != 0 && bounds[i] <= bounds[i - 1])
      throw std::invalid_argument(which + "is not above the one before it, " + std::to_string(bounds[i - 1]));
  }
  return bounds;
}

}  // namespace

histogram::histogram(std::vector<double> bounds)
    : bounds_(checked(std::move(bounds))), first_(bounds_.data()), size_(bounds_.size()), cells_(size_ + 3) {}

std::vector<double> histogram::exponential(double first, double factor, std::size_t count) {
  std::vector<double> bounds(count);
  for (std::size_t i = 0; i != count; ++i) bounds[i] = first * std::pow(factor, static_cast<double>(i));
  return checked(std::move(bounds));
}

std::vector<double> histogram::linear(double first, double width, std::size_t count) {
  std::vector<double> bounds(count);
  for (std::size_t i = 0; i != count; ++i) bounds[i] = first + width * static_cast<double>(i);
  return checked(std::move(bounds));
}

void histogram::observe(double value, std::map<std::string, std::string> labels) {
  observe(value);
  if (std::isnan(value)) return;
  std::optional<example> last({value, std::move(labels)});
  const auto bucket =
      static_cast<std::size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin());
  const std::lock_guard lock(mutex_);
  examples_.resize(size_ + 1);
  examples_[bucket].swap(last);
}

histogram::values histogram::read() const {
  values now;
  now.bounds = bounds_;
  now.buckets.resize(size_ + 1);
  for (std::size_t i = 0; i != size_ + 1; ++i) now.buckets[i] = cells_.sum(i);
  now.count = std::accumulate(now.buckets.begin(), now.buckets.end(), std::uint64_t{0});
  cells_.for_each(size_ + 1, [&](std::uint64_t bits) { now.sum += std::bit_cast<double>(bits); });
  now.not_numbers = cells_.sum(size_ + 2);
  const std::lock_guard lock(mutex_);
  now.examples = examples_;
  return now;
}

}  // namespace acqrel
