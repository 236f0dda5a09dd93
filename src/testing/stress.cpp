// SPDX-License-Identifier: Apache-2.0
#include <acqrel/base/spin.hpp>
#include <acqrel/testing/stress.hpp>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace acqrel::testing {

constinit std::atomic<bool> stress_runs{false};

namespace {

using std::chrono::steady_clock;

// What disturbs a thread in one run.
struct disturber {
  std::uint64_t random = 0;
  std::uint64_t run = 0;  // which run it was made for
  unsigned style = 0;
  bool is_slow = false;

  std::uint64_t next() noexcept {  // splitmix64
    std::uint64_t z = random += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
};
constinit thread_local disturber mine;

// The run under way, for the threads that the body starts otherwise. Changed when there are none.
std::atomic<std::uint64_t> number_of_run{0};
std::atomic<std::uint64_t> seed_of_run{0};
std::atomic<unsigned> others{0};

constexpr unsigned styles = 4;

// The same seed makes the same disturbance. One thread in four is the slow one of a style that has one.
disturber disturber_of(std::uint64_t run, std::uint64_t seed, unsigned thread, unsigned threads) noexcept {
  disturber made;
  made.random = seed;
  made.run = run;
  made.style = static_cast<unsigned>(made.next() % styles);
  made.is_slow = made.next() % threads == thread % threads;
  made.random += (std::uint64_t{thread} + 1) << 32;
  return made;
}

void spin(std::uint64_t pauses) noexcept {
  for (; pauses != 0; --pauses) pause_cpu();
}

void sleep(std::uint64_t microseconds) noexcept {
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

}  // namespace

void disturb() noexcept {
  // plain: of the run that started this thread, or had it started
  const std::uint64_t run = number_of_run.load(std::memory_order_relaxed);
  if (mine.run != run) {
    // plain: as above  / plain: whose turn it was is random anyway
    mine = disturber_of(run, seed_of_run.load(std::memory_order_relaxed),
                        1000 + others.fetch_add(1, std::memory_order_relaxed), 4);
  }
  const std::uint64_t dice = mine.next();
  const std::uint64_t more = dice >> 32;
  switch (mine.style) {
    case 0:  // a little everywhere: threads that run at the same time meet
      if (dice % 4 != 0) spin(more % 64);
      return;
    case 1:  // every second time somebody else goes on
      if (dice % 2 == 0) std::this_thread::yield();
      return;
    case 2:  // one thread is slow
      if (mine.is_slow) {
        sleep(more % 64);
      } else if (dice % 8 == 0) {
        std::this_thread::yield();
      }
      return;
    default:  // seldom, and then for long
      if (dice % 4 == 0) {
        sleep(50 + more % 256);
      } else if (dice % 4 == 1) {
        spin(more % 1024);
      }
  }
}

void stress_run::together(const std::function<void(unsigned)>& work) {
  std::atomic<int> missing{static_cast<int>(threads_)};
  std::mutex mutex;
  std::exception_ptr thrown;
  std::vector<std::jthread> threads;
  threads.reserve(threads_);
  // plain: this thread wrote it
  const std::uint64_t run = number_of_run.load(std::memory_order_relaxed);
  // The last to be started finds all others there and goes first: by the seed, since a mistake may want another to.
  const unsigned first = static_cast<unsigned>(disturber_of(run, seed_, threads_, threads_).next() % threads_);
  for (unsigned started = 0; started != threads_; ++started) {
    const auto begin = [&, thread = (first + started) % threads_] {
      mine = disturber_of(run, seed_, thread, threads_);
      // plain: a start line, and the starts of the threads publish what there is
      missing.fetch_sub(1, std::memory_order_relaxed);
      // plain: as above
      while (missing.load(std::memory_order_relaxed) > 0) std::this_thread::yield();
      spin(mine.next() % 2 * (mine.next() % 512));  // half of them begin a little late
      try {
        work(thread);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!thrown) thrown = std::current_exception();
      }
    };
    try {
      threads.emplace_back(begin);
    } catch (const std::system_error&) {
      // plain: those that are there need not wait for it
      missing.store(std::numeric_limits<int>::min() / 2, std::memory_order_relaxed);
      throw;
    }
  }
  threads.clear();
  if (thrown) std::rethrow_exception(thrown);
}

void stress_run::expect(bool holds, const char* what) noexcept {
  // plain: a constant text, looked at after the run
  if (!holds) wrong_.store(what, std::memory_order_relaxed);
}

namespace {

using list = std::vector<unsigned>;

template <class Number>
std::vector<Number> numbers(std::string_view text) {
  std::vector<Number> all;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    Number one{};
    const auto [next, error] = std::from_chars(at, end, one);
    if (error != std::errc{}) break;
    all.push_back(one);
    if (next == end) return all;
    if (*next != ',') break;
    at = next + 1;
  }
  throw std::invalid_argument("numbers with commas between");
}

unsigned some(std::string_view text) {
  const unsigned number = numbers<unsigned>(text).front();
  if (number == 0) throw std::invalid_argument("a number from 1");
  return number;
}

// What the environment says goes before what the test says.
void read_environment(stress_options& how) {
  const char* const said = std::getenv("ACQREL_STRESS");
  if (said == nullptr) return;
  std::istringstream words(said);
  for (std::string word; words >> word;) {
    const auto equals = std::min(word.find('='), word.size());
    const std::string_view key = std::string_view(word).substr(0, equals);
    try {
      const std::string_view value = std::string_view(word).substr(std::min(equals + 1, word.size()));
      if (key == "threads") {
        how.threads = numbers<unsigned>(value);
      } else if (key == "cpus") {
        how.cpus = numbers<unsigned>(value);
      } else if (key == "seeds") {
        how.seeds = some(value);
      } else if (key == "count") {
        how.count = some(value);
      } else if (key == "seed") {
        how.first_seed = numbers<std::uint64_t>(value).front();
        how.seeds = 1;
      } else {
        throw std::invalid_argument("one of threads, cpus, seeds, seed, count");
      }
    } catch (const std::invalid_argument& wanted) {
      throw std::invalid_argument("ACQREL_STRESS: \"" + word + "\": expected " + wanted.what() +
                                  ", as in ACQREL_STRESS='threads=2,4 cpus=1,2 seed=7 count=10'");
    }
  }
}

// The cpus of the calling thread, which those that it starts inherit. Where the system has no such thing, all it has.
class affinity {
 public:
#if defined(__linux__)
  affinity() noexcept {
    if (sched_getaffinity(0, sizeof(before_), &before_) != 0) CPU_ZERO(&before_);
  }
  [[nodiscard]] unsigned count() const noexcept { return static_cast<unsigned>(std::max(1, CPU_COUNT(&before_))); }
  void use(unsigned cpus) const noexcept {
    if (CPU_COUNT(&before_) == 0) return;  // not known
    cpu_set_t some = before_;
    unsigned found = 0;
    for (std::size_t cpu = 0; cpus != 0 && cpu != CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &some) && ++found > cpus) CPU_CLR(cpu, &some);
    }
    (void)sched_setaffinity(0, sizeof(some), &some);
  }
#else
  affinity() noexcept = default;
  [[nodiscard]] static unsigned count() noexcept { return 1; }
  static void use(unsigned) noexcept {}
#endif
  ~affinity() { use(0); }
  affinity(const affinity&) = delete;
  affinity& operator=(const affinity&) = delete;

#if defined(__linux__)
 private:
  cpu_set_t before_;
#endif
};

// Ends the program when a run does not end.
class watchdog {
 public:
  watchdog(std::chrono::milliseconds patience, const std::string& name) : patience_(patience), name_(name) {}
  void begin(std::string what) {
    const std::lock_guard lock(mutex_);
    what_ = std::move(what);
    since_ = steady_clock::now();
  }

 private:
  void watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto until = since_ + patience_;
      if (changed_.wait_until(lock, stop, until, [] { return false; }) || stop.stop_requested()) return;
      if (steady_clock::now() < since_ + patience_) continue;
      std::fprintf(
          stderr,
          "acqrel: stress: %s has not ended after %lld ms. Look where its threads wait, or run it again by\n  %s\n",
          name_.c_str(), static_cast<long long>(patience_.count()), what_.c_str());
      std::abort();
    }
  }

  const std::chrono::milliseconds patience_;
  const std::string name_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string what_;
  steady_clock::time_point since_ = steady_clock::now();
  std::jthread thread_{[this](const std::stop_token& stop) { watch(stop); }};
};

std::string combination(unsigned threads, unsigned cpus, std::uint64_t seed) {
  return "threads=" + std::to_string(threads) + " cpus=" + std::to_string(cpus) + " seed=" + std::to_string(seed);
}

std::string command(const std::string& again, const std::string& name, bool gtest) {
  return "ACQREL_STRESS='" + again + "'" + (gtest ? " PROGRAM --gtest_filter=" + name : " in the environment");
}

// Puts an end to it also when the body throws.
struct stressing {
  // plain: whoever begins later begins later
  stressing() noexcept { stress_runs.store(true, std::memory_order_relaxed); }
  // plain: as above
  ~stressing() { stress_runs.store(false, std::memory_order_relaxed); }
};

}  // namespace

stress_result stress(const stress_options& wanted, const std::function<void(stress_run&)>& body) {
  stress_result result;
  stress_options how = wanted;
  try {
    read_environment(how);
  } catch (const std::invalid_argument& wrong) {
    result.trouble = std::string("acqrel: stress: ") + wrong.what();
    return result;
  }
  const auto begin = steady_clock::now();
  const std::string name = how.name.empty() ? "the test" : how.name;
  const affinity affinity;
  list cpus;
  for (const unsigned each : how.cpus) {
    const unsigned real = each == 0 ? affinity.count() : std::min(each, affinity.count());
    if (std::find(cpus.begin(), cpus.end(), real) == cpus.end()) cpus.push_back(real);
  }
  watchdog watchdog(how.hangs_after, name);
  const stressing now;
  for (unsigned again = 0; again != how.count; ++again) {
    for (std::uint64_t seed = how.first_seed; seed != how.first_seed + how.seeds; ++seed) {
      for (const unsigned cpu_count : cpus) {
        affinity.use(cpu_count);
        for (const unsigned threads : how.threads) {
          const std::string here = combination(threads, cpu_count, seed);
          watchdog.begin(command(here, how.name, how.failed != nullptr));
          // plain: no thread of the body is there
          seed_of_run.store(seed, std::memory_order_relaxed);
          // plain: as above
          number_of_run.fetch_add(1, std::memory_order_relaxed);
          stress_run run(std::max(1U, threads), cpu_count, seed);
          std::string what;
          try {
            body(run);
            // plain: what wrote it has ended
            if (const char* const wrong = run.wrong_.load(std::memory_order_relaxed)) {
              what = std::string(wrong) + " does not hold";
            } else if (how.failed != nullptr && how.failed()) {
              what = "an expectation failed";
            }
          } catch (const std::exception& thrown) {
            what = std::string("threw ") + thrown.what();
          } catch (...) {
            what = "threw what is no std::exception";
          }
          ++result.runs;
          if (what.empty()) continue;
          result.again = here;
          result.trouble = "acqrel: stress: " + name + ": " + what + " in run " + std::to_string(result.runs) +
                           ". Run that again by\n  " + command(here, how.name, how.failed != nullptr);
          result.took = steady_clock::now() - begin;
          return result;
        }
      }
    }
  }
  result.took = steady_clock::now() - begin;
  return result;
}

}  // namespace acqrel::testing
