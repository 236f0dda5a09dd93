// acqrel/pace/token_bucket.hpp - so many a second, and so many at once.
//
//   acqrel::token_bucket requests(100, 1s, 20);   // 100 a second, 20 at once; full at first
//   if (!requests.try_take()) return refuse();    // never waits
//   requests.wait(5);                             // for 5 tokens; or wait_for, wait_until
//   const auto pause = requests.reserve();        // takes one now, and says how long until it is there
//
// Publishes  nothing.
// Edges      none: one word decides, and who takes gets tokens only.
// Progress   try_take(), reserve() and tokens() lock-free: a call tries again if another took tokens at that moment. wait()
//            sleeps until its tokens are there, which it takes before: in the order of the calls, whatever others try.
// Memory     48 bytes, inline.
// Threads    any.
// Errors     std::invalid_argument for a rate outside of 1e-6 to 1e9 tokens a second, a capacity below 1 or of more than
//            48 years' tokens, and n < 0; std::out_of_range for n > capacity, which never could be had. Then nothing is
//            taken. As a constinit object it does not compile.
// Cost       a compare-exchange; a refusal loads a word. Reading the clock costs more than both: give a time that you have.
//            Bench token_bucket/take.
// Model      tests/pace/token_bucket_model.cpp.
// Not for    one call an interval, and how many there were else (throttle); bytes of a line that others use too.
//
// How: the generic cell rate algorithm. The word is the time at which the bucket would be full; taking n tokens moves it on
// by what they take to come, from now if it has passed, and is refused if that were further ahead than a whole bucket.
// It counts thirds of a nanosecond if a token takes a whole number of them: so 1, 3, 60 or 1000 a second are exact. Else it
// counts units of up to half a nanosecond, of which it does, and which are exact to 53 bits: then a token that is waited for
// may be there half a nanosecond early or late. No fraction is lost but that of a full bucket, and no error adds up.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <acqrel/base/time_source.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <stop_token>

namespace acqrel {

/// Of all takes, on any threads, whose times lie within a span: together never more than the capacity and what comes in that
/// span. A take's time is what the clock showed in the call, or the time it was given. So who gives an old time takes as of
/// then: it gets what the others have left, and nobody gets more by it; a clock that goes back refills nothing until it is
/// where it was; a time far ahead is believed. Times before the clock's epoch are as good as that, and those after its first
/// 146 years as good as these: then nothing comes any more, and nothing wraps.
class token_bucket {
 public:
  using duration = std::chrono::steady_clock::duration;

  /// `tokens` for each `period`; at most `capacity` of them are kept.
  template <class Rep, class Period>
  constexpr token_bucket(double tokens, std::chrono::duration<Rep, Period> period, std::int64_t capacity)
      : token_bucket(pace(tokens, period), capacity, nullptr) {}
  template <class Rep, class Period>
  constexpr token_bucket(double tokens, std::chrono::duration<Rep, Period> period, std::int64_t capacity,
                         time_source& time)
      : token_bucket(pace(tokens, period), capacity, &time) {}
  token_bucket(const token_bucket&) = delete;
  token_bucket& operator=(const token_bucket&) = delete;

  /// Takes n tokens, if all of them are there.
  [[nodiscard]] bool try_take(std::int64_t n = 1) { return try_take(n, now()); }
  /// The same for who has read the clock already.
  [[nodiscard]] bool try_take(std::int64_t n, steady_deadline now) {
    check(n);
    if (n == 0) return true;
    const std::uint64_t at = units(now), cost = cost_of(n), most = room_ - cost;
    // plain: what others did is not asked for; the exchange finds out whether it still holds
    std::uint64_t full = full_at_.load(std::memory_order_relaxed), from = 0;
    do {
      from = std::max(full, at);
      if (from - at > most) return false;
      // plain: one word, and each exchange reads the one before
    } while (!full_at_.compare_exchange_weak(full, from + cost, std::memory_order_relaxed, std::memory_order_relaxed));
    return true;
  }

  /// Takes n tokens in any case, and says how long it takes until they are there: until then they are not to be used.
  /// Whoever comes later waits for them too. duration::max(): nothing was taken, as too much is reserved already.
  [[nodiscard("the tokens are not to be used before")]] duration reserve(std::int64_t n = 1);

  /// Takes n tokens and waits until they are there. If that were after its deadline it takes none, and looks once more at
  /// the deadline; if it is stopped it gives them back, unless somebody reserved after it. False: it has no tokens.
  void wait(std::int64_t n = 1) { static_cast<void>(await(n, steady_deadline::max(), {})); }
  [[nodiscard("look whether it has the tokens")]] bool wait(std::int64_t n, const std::stop_token& stop) {
    return await(n, steady_deadline::max(), stop);
  }
  template <class Rep, class Period>
  [[nodiscard("look whether it has the tokens")]] bool wait_for(std::int64_t n, std::chrono::duration<Rep, Period> time,
                                                                const std::stop_token& stop = {}) {
    return await(n, later(now(), steady_duration(time)), stop);
  }
  template <class Duration>
  [[nodiscard("look whether it has the tokens")]] bool wait_until(
      std::int64_t n, std::chrono::time_point<std::chrono::steady_clock, Duration> deadline,
      const std::stop_token& stop = {}) {
    return await(n, to_deadline(deadline), stop);
  }

  /// How many whole tokens are there now: 0 to capacity(). A full bucket is as good as a new one.
  [[nodiscard]] std::int64_t tokens() const noexcept { return tokens(now()); }
  [[nodiscard]] std::int64_t tokens(steady_deadline now) const noexcept;
  [[nodiscard]] constexpr std::int64_t capacity() const noexcept { return capacity_; }

 private:
  static_assert(std::is_same_v<duration, std::chrono::nanoseconds>);
  static constexpr std::int64_t last_time = std::int64_t{1} << 62;  // of the clock, in nanoseconds: 3 / 4 of the word
  static constexpr std::uint64_t most_room = (std::uint64_t{1} << 62) - 1;  // the rest of it
  // How long a token takes, in nanoseconds.
  template <class Rep, class Period>
  static constexpr long double pace(double tokens, std::chrono::duration<Rep, Period> period) {
    if (!(tokens > 0)) return 0;
    return std::chrono::duration<long double, std::nano>(period).count() / static_cast<long double>(tokens);
  }
  constexpr token_bucket(long double token, std::int64_t capacity, time_source* time);

  steady_deadline now() const noexcept { return time_ != nullptr ? time_->now() : std::chrono::steady_clock::now(); }
  static steady_deadline later(steady_deadline now, duration by) noexcept {
    if (by <= by.zero()) return now;
    return steady_deadline::max() - by < now ? steady_deadline::max() : now + by;
  }
  void check(std::int64_t n) const {
    if (static_cast<std::uint64_t>(n) > static_cast<std::uint64_t>(capacity_)) [[unlikely]]
      refuse(n);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void refuse(std::int64_t n) const;

  std::uint64_t cost_of(std::int64_t n) const noexcept { return static_cast<std::uint64_t>(n) * cost_; }
  // The units that have passed at a time: rounded down.
  std::uint64_t units(steady_deadline now) const noexcept {
    const std::int64_t since = now.time_since_epoch().count();
    const auto at = static_cast<std::uint64_t>(since < 0 ? 0 : since < last_time ? since : last_time);
    if (speed_ == 0) [[likely]]
      return at * 3;
    return static_cast<std::uint64_t>((static_cast<wide>(at) * speed_) >> 62);
  }
  struct reservation {
    std::uint64_t full_at;  // what it left in the word
    duration pause;
  };
  std::optional<reservation> reserve(std::uint64_t cost, steady_deadline now, duration longest) noexcept;
  duration time_of(std::uint64_t units) const noexcept;
  bool await(std::int64_t n, steady_deadline deadline, const std::stop_token& stop);

  __extension__ using wide = unsigned __int128;

  std::atomic<std::uint64_t> full_at_{0};  // grows, but where a wait that was stopped gives back
  std::uint64_t cost_ = 0;                 // units of a token
  std::uint64_t room_ = 0;                 // units of a whole bucket
  std::uint64_t speed_ = 0;                // units in 2^62 ns; 0: three a nanosecond
  std::int64_t capacity_;
  time_source* time_;  // null: steady_clock
};
static_assert(sizeof(token_bucket) == 48);

// ---- Implementation ------------------------------------------------------------------------------------------------

constexpr token_bucket::token_bucket(long double token, std::int64_t capacity, time_source* time)
    : capacity_(capacity), time_(time) {
  // 1e-6 as a double is a little less: the last bit is allowed for.
  if (!(token >= 1 - 1e-15L && token <= 1e15L * (1 + 1e-15L)))
    throw std::invalid_argument(
        "acqrel: token_bucket: the rate is not within 1e-6 and 1e9 tokens a second; give a number of tokens above 0 "
        "for a "
        "period above 0");
  long double thirds = std::max(token, 1.0L) * 3;
  // What is whole but for the last bit of a double was meant to be: at 0.1 a second a token takes 10^10 ns.
  if (const auto rounded = static_cast<double>(thirds);
      rounded == static_cast<double>(static_cast<std::uint64_t>(rounded)))
    thirds = static_cast<long double>(rounded);
  cost_ = static_cast<std::uint64_t>(thirds);
  if (capacity < 1 || static_cast<std::uint64_t>(capacity) > most_room / cost_)
    throw std::invalid_argument(
        "acqrel: token_bucket: the capacity is below 1, or takes more than 48 years to fill at this rate; give a "
        "smaller one");
  room_ = cost_ * static_cast<std::uint64_t>(capacity);
  const auto whole = static_cast<long double>(cost_);
  if (whole != thirds) speed_ = static_cast<std::uint64_t>(whole / thirds * 0x3p62L);
}

}  // namespace acqrel
