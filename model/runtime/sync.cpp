// SPDX-License-Identifier: Apache-2.0
#include "sync.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "interpose.hpp"
#include "kernel.hpp"
#include "keys.hpp"
#include "queue.hpp"
#include "threads.hpp"
#include "time.hpp"
#include "words.hpp"

namespace acqrel::model {

void begin_sync(const sync_options& how) {
  begin_words();
  begin_queues(how.spurious_wakeups);
  begin_threads();
  begin_keys();
  begin_time();
  begin_kernel(how.membarrier);
}

void* c_library_function(const char* function) {
  void* const found = dlsym(RTLD_NEXT, function);
  if (found == nullptr) {
    std::fprintf(stderr, "acqrel: the C library has no %s, which this program calls\n", function);
    std::abort();
  }
  return found;
}

}  // namespace acqrel::model
