// The places where threads waited: a table that samples enter without waiting.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/observe/contention.hpp>

#include <atomic>
#include <memory>

namespace acqrel {

class site_table {
 public:
  static constexpr std::size_t frames = 30;
  struct sample {
    probe what;
    std::uint64_t times;  // in 256ths
    std::int64_t nanoseconds;
    std::size_t depth;
    void* const* stack;
  };

  /// Room for `places`, a power of two.
  explicit site_table(std::size_t places) : mask_(places - 1), places_(std::make_unique<place[]>(places)) {}

  /// Any thread.
  void add(const sample& one) noexcept;
  /// What is complete, in no order, and how many samples found no room.
  void read(contention& into) const;

 private:
  struct place {
    std::atomic<std::uint64_t> key{0};  // of `what` and `stack`; 0: free
    std::atomic<bool> complete{false};
    probe what{};
    std::uint8_t depth = 0;  // immutable, as what is beside it, once it is complete
    std::uintptr_t stack[frames];
    std::atomic<std::uint64_t> times{0};
    std::atomic<std::int64_t> nanoseconds{0};
  };
  place* find(std::uint64_t key, const sample& one) noexcept;

  const std::size_t mask_;
  const std::unique_ptr<place[]> places_;
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace acqrel
