// The run in progress: what every hook, interposed function and report of the program checker works through. A process
// checks one program at a time, on one kernel thread; its threads are fibers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "../core/explorer.hpp"

namespace acqrel::model {

/// What a run found. The first one ends the search.
enum class trouble_kind : std::uint8_t {
  none,
  race,            // conflicting accesses, one not atomic, unordered by happens-before
  use_after_free,  // also: of a dead stack frame, outside any block
  bad_free,        // double free, not the start of a block
  leak,
  deadlock,          // no thread can go on, each waits for another
  livelock,          // a loop that nobody will ever end
  spinning,          // a wait that neither sleeps nor yields, where the test allows none
  assertion,         // assert, expect(), a GoogleTest expectation, abort, an exception that left a thread
  crash,             // a signal
  misuse,            // a mutex unlocked by a stranger, a joinable thread destroyed, a mixed-size atomic access
  nondeterministic,  // another run of the same execution did something else
  not_modelled,      // a function this checker has no model of
};

// ---- where the process is
// True outside of a check, and while the checker itself runs: every hook then does the plain thing.
extern bool native;
/// Where the stack of the running thread ended when checked code last called the checker: below, none of its objects live.
extern const void* program_stack;

/// Held while a hook does the checker's work: what it calls (malloc, memcpy, mutexes) is native.
class checker_work {
 public:
  [[gnu::always_inline]] checker_work() : before_(native) {
    if (!before_) program_stack = __builtin_frame_address(0);
    native = true;
  }
  ~checker_work() { native = before_; }
  checker_work(const checker_work&) = delete;
  checker_work& operator=(const checker_work&) = delete;

 private:
  bool before_;
};

/// Whether a call with this return address comes from checked code: the executable or the C++ runtime library. Calls by
/// libc, the unwinder and others are theirs alone.
bool from_checked_code(const void* return_address);

thread_id self();

// ---- operations on atomic objects of the program; each waits for its turn. `site` is a return address in checked code.
// The orders are those of the call: weakening an edge happens in here.
value load(const void* object, std::size_t size, order, const void* site);
void store(void* object, std::size_t size, value to, order, const void* site);
value modify(void* object, const modification&, const void* site);  ///< returns what was read
void fence(kind which, order, const void* site);

// ---- operations on the checker's own objects: locks, queues, sleepers. They begin at 0 in every run. `key` is an
// address the program knows (a mutex) plus a small number, so that one object may have several words.
value load_word(const void* key, unsigned word, order, const void* site);
void store_word(const void* key, unsigned word, value to, order, const void* site);
value modify_word(const void* key, unsigned word, const modification&, const void* site);
std::uint32_t choose(std::uint32_t n, const void* site);
/// Whether this is such a word and not an atomic object of the program; and the key it belongs to.
inline constexpr location word_mark = location{1} << 47;
constexpr bool is_word(location l) { return (l & word_mark) != 0; }
inline const void* key_of_word(location l) { return reinterpret_cast<const void*>(l & (word_mark - 1)); }

// ---- threads
/// A new model thread that runs body(argument) and then its exit handlers; bound_hit if there are too many.
thread_id create_thread(void* (*body)(void*), void* argument, const void* site);
/// Waits for its end; returns what its body returned.
void* join_thread(thread_id, const void* site);
[[noreturn]] void exit_thread(void* result);

/// The calling thread can not go on in this execution: what it waits for was not written. It never returns: some other
/// execution has the write. `waits_for` says so in words: "to lock the mutex at 0x...", "in a futex wait on ...".
[[noreturn]] void stuck(const std::string& waits_for, const void* site);
/// The same for what happens in every other execution: the words are made only if somebody reads them. `bounded`: the
/// wait has a time limit, whose end is another execution, so nobody is deadlocked while this thread waits.
[[noreturn]] void stuck(std::string (*waits_for)(const void* object), const void* object, const void* site,
                        bool bounded = false);

/// The running thread is about to write `size` bytes of plain memory: what tells a loop that works from one that waits.
/// Called by the memory for each plain write; size 0 is anything else that changes what the thread may find later, such as
/// the begin and the end of a block.
void wrote_plainly(const void* p, std::size_t size);

/// Time as the running thread has it, in ns; moves by `by` for it and for what happens after (time.cpp).
std::uint64_t virtual_time(std::uint64_t by = 0);

// ---- ends of a run
[[noreturn]] void fail(trouble_kind, const std::string& what, const void* site = nullptr);
[[noreturn]] void not_modelled(const char* function, const void* site);
/// A limit of the checker was reached, named in words: this run counts for nothing, and the result is "not exhaustive".
[[noreturn]] void bound(const std::string& what);

/// The explorer of the run in progress.
explorer& tree();

}  // namespace acqrel::model
