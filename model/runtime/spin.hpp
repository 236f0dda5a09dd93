// Loops that wait. A thread that comes back to an atomic operation in the very state it had there before, and whose turn of
// the loop nobody can tell from no turn at all, is waiting: what it reads now some other execution lets it read at once.
//
// The state of a thread is its registers and its live stack. Words of the stack that others may write, atomic objects above
// all, are left out: what they hold depends on who ran meanwhile, not on what this thread did.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../core/graph.hpp"

namespace acqrel::model {

/// What an entry point saves before any compiled code runs: the registers that a call preserves, and the stack pointer, at
/// which the return address stands.
struct registers {
  std::uint64_t preserved[6];
  const std::uint64_t* stack;
};

/// Some events of one thread: a turn of a loop.
struct turn {
  thread_id thread = 0;
  unsigned from = 0;
  unsigned to = 0;
};

/// Whether the writes of this turn leave no trace: in the modification order they stand in blocks of its own, each ends
/// with the value before it, and nobody else reads what is within. Locking a mutex, looking and unlocking is such a turn;
/// so is a read-modify-write that puts back what it read.
bool leaves_no_trace(const graph&, const turn&);

/// Where one thread has been.
class loops {
 public:
  /// Before every run. `stack_high`: where the stack starts.
  void begin(const char* stack_high);

  /// The thread is about to read, after so many events. Where it was here before in the same state, if since then it did
  /// nothing but make events; or -1.
  int come_back(const registers&, unsigned position);
  /// The thread did something that neither its state nor its events show, and that can not be undone.
  void act() {
    past_.clear();
    written_.clear();
  }
  /// It is about to write there, outside of its stack: no act if it puts back what was there before it comes round.
  void write(const void* address, std::size_t size);

  /// These bytes of the stack are not this thread's alone, until it writes them plainly or their frame ends.
  void share(const void* address, std::size_t size);
  void own(const void* address, std::size_t size) {
    if (!shared_.empty()) take_back(address, size);
  }
  /// A function began, whose frame ends at `bottom`; the last one ended.
  void enter(const void* bottom) { frames_.push_back(bottom); }
  void leave() {
    if (!frames_.empty()) frames_.pop_back();
    if (!shared_.empty() && !frames_.empty()) drop_dead();
  }

 private:
  struct visit {
    std::uint64_t state;
    const std::uint64_t* stack;
    unsigned position;
    std::size_t written;  ///< so many bytes were overwritten before
  };
  struct overwritten {
    const unsigned char* at;
    unsigned char was;
  };

  /// A word of the stack, some of whose bytes others may write.
  struct shared_word {
    const std::uint64_t* at;
    std::uint64_t bytes;  ///< a mask
  };

  /// Words of the stack, counted from its start, and what they add to a state.
  struct block {
    static constexpr int words = 8;
    std::uint64_t word[words] = {};
    std::uint64_t sum = 0;
    bool known = false;
  };

  std::uint64_t mixed_stack(const std::uint64_t* low);
  bool as_it_was(std::size_t written) const;
  void take_back(const void* address, std::size_t size);
  void drop_dead();

  std::vector<visit> past_;
  std::vector<overwritten> written_;
  std::vector<shared_word> shared_;
  std::vector<const void*> frames_;
  std::vector<block> blocks_;
  const std::uint64_t* high_ = nullptr;
};

}  // namespace acqrel::model
