// acqrel/signal/stage_gate.hpp - which stage of its life something is in, for all to see and to wait for.
//
//   enum class stage { starting, ready, draining, stopped };
//   constexpr acqrel::stage_table lifecycle{
//       acqrel::stage_edge{stage::starting, stage::ready}, acqrel::stage_edge{stage::ready, stage::draining},
//       acqrel::stage_edge{stage::draining, stage::stopped}, acqrel::stage_edge{stage::starting, stage::stopped}};
//   acqrel::stage_gate<lifecycle> service(stage::starting);
//   if (service.advance<stage::starting, stage::ready>()) announce();   // true for one caller
//   service.wait(stage::draining);                                      // until it is there, or beyond
//
// Publishes  what was done before advance(), to all who see its stage or a later one.
// Edges      stage_gate.stage   advance() -> stage(), at_least(), wait(), a later advance()   all of it
// Progress   stage() and at_least() wait-free; advance() lock-free, and wakes who waits. wait() blocks.
// Memory     4 bytes, inline.
// Threads    any member from any; destruction needs exclusive access, which who returned from wait() may have.
// Errors     an edge that the table lacks: advance<from, to>() does not compile, try_advance() says `illegal`. A table
//            with an edge that does not go up does not compile: a stage never comes back.
// Cost       stage(), at_least(): one acquire load. Bench stage_gate/at_least.
// Model      tests/signal/stage_gate_model.cpp: one winner, no wake-up lost, the edge also weakened.
// Not for    stages that come again (generation), or machines whose states have no order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/waitable.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace acqrel {

/// One step that is allowed.
template <class Stage>
struct stage_edge {
  Stage from, to;
};
template <class Stage>
stage_edge(Stage, Stage) -> stage_edge<Stage>;

/// All steps that are, for stages with values from 0 to 2^30 - 1.
template <class Stage, std::size_t Edges>
struct stage_table {
  static_assert(std::is_enum_v<Stage>, "the stages of a stage_table are the values of an enum");
  using stage = Stage;

  template <std::same_as<stage_edge<Stage>>... Others>
  consteval stage_table(stage_edge<Stage> first, Others... others) : edges{first, others...} {
    for (const auto& edge : edges) {
      if (number(edge.from) < 0 || number(edge.to) >= 1LL << 30) throw "stage_table: a stage below 0 or above 2^30 - 1";
      if (edge.from >= edge.to) throw "stage_table: an edge must lead to a higher stage, for a stage never comes back";
    }
  }
  constexpr bool allows(Stage from, Stage to) const noexcept {
    for (const auto& edge : edges) {
      if (edge.from == from && edge.to == to) return true;
    }
    return false;
  }
  static constexpr long long number(Stage stage) noexcept { return static_cast<long long>(stage); }

  stage_edge<Stage> edges[Edges];  // public, as template arguments need it
};
template <class Stage, class... Others>
stage_table(stage_edge<Stage>, Others...) -> stage_table<Stage, 1 + sizeof...(Others)>;

/// What try_advance() came to.
enum class stage_result : std::uint8_t {
  advanced,  // by this call
  lost,      // it was not at `from`, or another call was first
  illegal,   // the table has no such edge
};

/// A stage that goes by the edges of `Table` only. With the waits of waitable_for: wait(stage) returns once the gate is
/// at that stage or a higher one, so one that was passed is not missed.
template <const auto& Table>
class stage_gate : public waitable_for<stage_gate<Table>, typename std::remove_cvref_t<decltype(Table)>::stage> {
 public:
  using stage_type = typename std::remove_cvref_t<decltype(Table)>::stage;

  constexpr explicit stage_gate(stage_type first) noexcept : word_(bits(first)) {}
  stage_gate(const stage_gate&) = delete;
  stage_gate& operator=(const stage_gate&) = delete;

  [[nodiscard]] stage_type stage() const noexcept {
    // edge stage_gate.stage: acquire
    return static_cast<stage_type>(word_.load(std::memory_order_acquire) >> 1);
  }
  /// Whether it is at `stage` or beyond.
  [[nodiscard]] bool at_least(stage_type wanted) const noexcept { return stage() >= wanted; }

  /// Goes from one stage to another. True for one caller: this.
  template <stage_type From, stage_type To>
  [[nodiscard]] bool advance() noexcept {
    static_assert(
        Table.allows(From, To),
        "stage_gate: the table has no edge from From to To; add stage_edge{From, To} to it, or go by its edges");
    return step(From, To);
  }
  /// The same with stages known at run time.
  [[nodiscard]] stage_result try_advance(stage_type from, stage_type to) noexcept {
    if (!Table.allows(from, to)) return stage_result::illegal;
    return step(from, to) ? stage_result::advanced : stage_result::lost;
  }

 private:
  friend class waitable_for<stage_gate<Table>, stage_type>;
  static constexpr std::uint32_t has_waiters = 1;

  static constexpr std::uint32_t bits(stage_type stage) noexcept { return static_cast<std::uint32_t>(stage) << 1; }

  bool step(stage_type from, stage_type to) noexcept {
    // plain: the exchange acquires.
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    do {
      if ((seen & ~has_waiters) != bits(from)) return false;
      // edge stage_gate.stage: acq_rel / plain  acquire so that what came before `from` is seen too
    } while (!word_.compare_exchange_weak(seen, bits(to), std::memory_order_acq_rel, std::memory_order_relaxed));
    if ((seen & has_waiters) != 0) unpark_all(word_);
    return true;
  }

  bool await(stage_type wanted, const patience& patience) const noexcept {
    return patience.await(word_, has_waiters, [&] { return at_least(wanted); });
  }

  mutable park_word word_;  // the stage, and one bit: somebody waits
};

}  // namespace acqrel
