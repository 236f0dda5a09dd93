// What waiting on a condition variable does to its mutex.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>

namespace acqrel::model {

/// As pthread_mutex_lock and pthread_mutex_unlock, by the running thread.
int lock_mutex(pthread_mutex_t* m, const void* site);
int unlock_mutex(pthread_mutex_t* m, const void* site);

}  // namespace acqrel::model
