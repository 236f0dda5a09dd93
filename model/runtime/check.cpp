// check(): the search over all executions of a test, and what is told about it.
// SPDX-License-Identifier: Apache-2.0
#include <acqrel/testing/model.hpp>

#include <sys/single_threaded.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>

#include "fiber.hpp"
#include "alone.hpp"
#include "memory.hpp"
#include "scheduler.hpp"
#include "sites.hpp"
#include "stops.hpp"
#include "sync.hpp"
#include "watch.hpp"

namespace acqrel::model {
namespace {

using clock_type = std::chrono::steady_clock;

bool in_progress = false;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

/// Says now and then how far a long search is.
class progress {
 public:
  progress(const options& how, clock_type::time_point start) : name_(how.name), wanted_(how.progress), start_(start) {}

  void after_run(const explorer& tree) {
    if (!wanted_ || (++runs_ & 255) != 0) return;
    const double now = seconds_since(start_);
    if (now < next_) return;
    next_ = now + 2;
    const auto runs = static_cast<double>(tree.complete() + tree.blocked());
    const double share = tree.explored();
    std::fprintf(stderr, "%s%s%s executions, %s blocked, %s/s", name_.c_str(), name_.empty() ? "" : ": ",
                 grouped(tree.complete()).c_str(), grouped(tree.blocked()).c_str(),
                 grouped(static_cast<std::uint64_t>(runs / now)).c_str());
    if (share > 0)
      std::fprintf(stderr, "; %.0f %% of the search, about %s in all", 100 * share,
                   grouped(static_cast<std::uint64_t>(runs / share)).c_str());
    std::fputc('\n', stderr);
  }

 private:
  std::string name_;
  bool wanted_;
  clock_type::time_point start_;
  std::uint64_t runs_ = 0;
  double next_ = 2;
};

/// What the process is while it runs checked code, and what it was before.
class checked_process {
 public:
  checked_process() {
    in_progress = true;
    prepare_fibers();
    single_threaded_ = __libc_single_threaded;
    // Otherwise shared_ptr counts with plain accesses: the C library sees but one thread.
    __libc_single_threaded = 0;
    remember_globals();
    catch_crashes(stop_at_crash);
    terminate_ = std::set_terminate(stop_at_terminate);
  }
  ~checked_process() {
    std::set_terminate(terminate_);
    release_crashes();
    restore_globals();
    __libc_single_threaded = single_threaded_;
    in_progress = false;
  }
  checked_process(const checked_process&) = delete;
  checked_process& operator=(const checked_process&) = delete;

 private:
  std::terminate_handler terminate_ = nullptr;
  char single_threaded_ = 0;
};

std::string name_of_object(location l) {
  return is_word(l) ? "the checker's word for " + describe(key_of_word(l))
                    : describe(reinterpret_cast<const void*>(l & (word_mark - 1)));
}

source source_of_site(const void* at) {
  if (at == nullptr) return {};
  const site& where = site_of(at);
  return {where.brief(), where.text};
}

void count(result& r, const graph& g) {
  unsigned operations = 0;
  for (unsigned t = 0; t < g.threads(); ++t)
    for (const event& e : g.of(t)) {
      const bool counts = e.what == kind::read || (e.what == kind::write && !e.exclusive) || e.what == kind::fence ||
                          e.what == kind::light || e.what == kind::heavy;
      operations += counts ? 1 : 0;
    }
  r.threads = std::max(r.threads, g.threads());
  r.operations = std::max(r.operations, operations);
}

void tell(result& r, const explorer& tree, const finding& what) {
  r.verdict = result::verdict::failed;
  r.trouble = name_of(what.what);
  r.message = what.text;
  if (what.site != nullptr) {
    const site& where = site_of(what.site);
    r.message += "\n  in thread " + std::to_string(what.thread) + " at " + where.brief();
    if (!where.text.empty()) r.message += ": " + where.text;
  }
  if (*advice(what.what) != '\0') r.message += "\n" + std::string(advice(what.what));
  const bool somewhere =
      what.what != trouble_kind::deadlock && what.what != trouble_kind::livelock && what.what != trouble_kind::leak;
  if (marks().empty() && somewhere) add_mark({what.thread, positions()[what.thread], name_of(what.what), what.site});
  mark_waits();
  telling how;
  how.object = name_of_object;
  how.where = source_of_site;
  how.marks = marks();
  how.racing = what.what == trouble_kind::race || what.what == trouble_kind::use_after_free;
  how.made = positions();
  r.execution = print_execution(tree.execution(), how);
  r.token = seal_token(tree.token(), r.name, shape_of(tree.execution(), positions()));
}

result refused(const options& how, const std::string& why) {
  result r;
  r.name = how.name;
  r.verdict = result::verdict::failed;
  r.trouble = name_of(trouble_kind::misuse);
  r.message = why;
  return r;
}

}  // namespace

result check(const options& how, const std::function<void()>& test) {
  if (in_progress) {
    const std::string why = "check() was called within a check(): call it after the other has returned";
    const void* const site = __builtin_return_address(0);
    if (!native) fail(trouble_kind::misuse, why, from_checked_code(site) ? site : nullptr);
    return refused(how, why);
  }
  if (!instrumented_code) {
    return refused(
        how,
        "nothing of this program is compiled for the checker, which sees none of its operations: build it with "
        "acqrel_model_test(), or with -fsanitize=thread and without its runtime");
  }
  site_of(__builtin_return_address(0));  // reads all debug information, which is not exploring
  const auto start = clock_type::now();
  result r;
  r.name = how.name;
  r.spurious_failures = how.spurious_failures;
  r.spurious_wakeups = how.spurious_wakeups;
  r.samples = how.samples;

  exploration search;
  opened_token token;
  search.max_executions = how.max_executions;
  search.samples = how.samples;
  search.seed = how.seed;
  search.look_for_duplicates = how.look_for_duplicates;
  if (!how.replay.empty()) {
    token = open_token(how.replay, how.name);
    if (!token.wrong.empty()) return refused(how, token.wrong);
    search.replay = token.choices;
  }
  const run_limits limits{std::min(how.max_events, max_events), how.spurious_failures, how.spinning_fails};

  weaken(how.weaken);
  forget_edges();
  {
    const checked_process process;
    const watch clock(&operations_begun, stop_at_silence);
    std::optional<explorer> searched(std::in_place, search, trouble_of_run());
    begin_alone(!how.replay.empty());
    progress told(how, start);
    begin_bounds();
    while (searched->next()) {
      explorer& tree = *searched;
      const auto run = [&] {
        restore_globals();
        begin_memory(how.reuse_memory);
        begin_sync({how.spurious_wakeups, how.membarrier});
        begin_marks();
        begin_alone_run();
        return run_once(tree, test, limits);
      };
      ending end = run();
      if (end == ending::started_over) {
        searched.emplace(search, trouble_of_run());
        r.operations = 0;
        begin_bounds();
        continue;
      }
      count(r, tree.execution());
      if (!how.replay.empty() && shape_of(tree.execution(), positions()) != token.shape) {
        const result stale = refused(how, stale_token(how.replay));
        r.verdict = stale.verdict;
        r.trouble = stale.trouble;
        r.message = stale.message;
        break;
      }
      if (how.repeat_runs && (end == ending::complete || end == ending::blocked)) {
        const auto made = [&tree] {
          std::array<std::size_t, max_threads> n{};
          for (unsigned t = 0; t < max_threads; ++t) n[t] = tree.operations(static_cast<thread_id>(t));
          return n;
        };
        const auto before = made();
        tree.repeat();
        if (run() != end || made() != before) end = ending::failed;
      }
      if (end == ending::failed) {
        const finding differs{trouble_kind::nondeterministic,
                              "run a second time, the same execution went on differently"};
        tell(r, tree, found().what == trouble_kind::none ? differs : found());
        break;
      }
      if (end == ending::over_bound) {
        tree.abandon();
      } else {
        if (end == ending::complete && how.report_leaks) {
          if (std::string text = leaks(); !text.empty()) {
            tell(r, tree, {trouble_kind::leak, std::move(text), nullptr, 0});
            break;
          }
        }
        tree.finish(end == ending::complete);
      }
      told.after_run(tree);
    }
    const explorer& tree = *searched;
    r.executions = tree.complete();
    r.blocked = tree.blocked();
    r.duplicates = tree.duplicates();
    if (r.verdict == result::verdict::passed && !tree.exhaustive()) {
      r.verdict = result::verdict::not_exhaustive;
      if (!bound().empty())
        r.not_exhaustive = bound() + ": make the test smaller, or its loops shorter";
      else if (how.samples != 0)
        r.not_exhaustive = "a random sample, seed " + std::to_string(how.seed);
      else
        r.not_exhaustive = "options::max_executions was reached: raise it, or make the test smaller";
    }
  }
  r.seconds = seconds_since(start);
  r.edges = edges_met();
  weaken({});
  return r;
}

result check(const std::function<void()>& test) { return check({}, test); }

}  // namespace acqrel::model
