// acqrel/base/capability.hpp - says which lock guards what, so that clang refuses code that forgets it.
//
//   class ACQREL_CAPABILITY("mutex") gate {
//    public:
//     void lock() ACQREL_ACQUIRE();
//     void unlock() ACQREL_RELEASE();
//   };
//   long visitors ACQREL_GUARDED_BY(front) = 0;   // clang -Wthread-safety: only between front.lock() and front.unlock()
//
// Publishes  nothing: it is for the compiler.
// Edges      none.
// Progress   none.
// Memory     none.
// Threads    any.
// Errors     a warning of clang with -Wthread-safety where a guarded thing is used without its lock, a lock is taken
//            twice, or a function ends with one too many or too few. Other compilers see nothing.
// Cost       none.
// Model      none: no code.
// Not for    proofs: clang looks at one function at a time and follows no pointers. The checker (testing/model.hpp) does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__has_attribute)
#if __has_attribute(capability)
#define ACQREL_ATTRIBUTE(...) __attribute__((__VA_ARGS__))
#endif
#endif
#if !defined(ACQREL_ATTRIBUTE)
#define ACQREL_ATTRIBUTE(...)
#endif

/// A type that can be held, and one that holds another as long as it lives.
#define ACQREL_CAPABILITY(kind) ACQREL_ATTRIBUTE(capability(kind))
#define ACQREL_SCOPED_CAPABILITY ACQREL_ATTRIBUTE(scoped_lockable)
/// Data that may be used only while its lock is held.
#define ACQREL_GUARDED_BY(lock) ACQREL_ATTRIBUTE(guarded_by(lock))
/// Functions: what the caller must hold, and what not; what is held after it, also if it returns `true`; what is not any more. Without
/// an argument: *this.
#define ACQREL_REQUIRES(...) ACQREL_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define ACQREL_EXCLUDES(...) ACQREL_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ACQREL_ACQUIRE(...) ACQREL_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define ACQREL_TRY_ACQUIRE(...) ACQREL_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define ACQREL_RELEASE(...) ACQREL_ATTRIBUTE(release_capability(__VA_ARGS__))
/// A function whose body is not looked at, because it is how a lock is made.
#define ACQREL_UNCHECKED ACQREL_ATTRIBUTE(no_thread_safety_analysis)
