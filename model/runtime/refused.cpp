// Functions by which threads could act on each other and that have no model. In a test each is refused by its name: left
// alone it would make an execution look unordered that is not, or stop the checker itself.
// SPDX-License-Identifier: Apache-2.0
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "interpose.hpp"

using namespace acqrel::model;

#define ACQREL_REFUSED(result, name, parameters, arguments)        \
  ACQREL_INTERPOSED result name parameters {                       \
    const call here = ACQREL_CALL;                                 \
    if (!here.modelled()) return ACQREL_C_LIBRARY(name) arguments; \
    not_modelled(#name, here.site());                              \
  }

// ---- threads
ACQREL_REFUSED(int, pthread_cancel, (pthread_t t), (t))
ACQREL_REFUSED(int, pthread_tryjoin_np, (pthread_t t, void** r) noexcept, (t, r))
ACQREL_REFUSED(int, pthread_timedjoin_np, (pthread_t t, void** r, const timespec* at), (t, r, at))
ACQREL_REFUSED(int, pthread_clockjoin_np, (pthread_t t, void** r, clockid_t c, const timespec* at), (t, r, c, at))
ACQREL_REFUSED(int, pthread_getattr_np, (pthread_t t, pthread_attr_t* to) noexcept, (t, to))
ACQREL_REFUSED(int, pthread_getname_np, (pthread_t t, char* to, size_t n) noexcept, (t, to, n))
ACQREL_REFUSED(int, pthread_setschedparam, (pthread_t t, int p, const sched_param* to) noexcept, (t, p, to))
ACQREL_REFUSED(int, pthread_getschedparam, (pthread_t t, int* p, sched_param* to) noexcept, (t, p, to))
ACQREL_REFUSED(int, pthread_setschedprio, (pthread_t t, int p) noexcept, (t, p))
ACQREL_REFUSED(int, pthread_setaffinity_np, (pthread_t t, size_t n, const cpu_set_t* to) noexcept, (t, n, to))
ACQREL_REFUSED(int, pthread_getaffinity_np, (pthread_t t, size_t n, cpu_set_t* to) noexcept, (t, n, to))
ACQREL_REFUSED(int, pthread_getcpuclockid, (pthread_t t, clockid_t* to) noexcept, (t, to))
ACQREL_REFUSED(pid_t, fork, () noexcept, ())

// ---- locks and waits
ACQREL_REFUSED(int, pthread_mutex_consistent, (pthread_mutex_t * m) noexcept, (m))
ACQREL_REFUSED(int, pthread_mutex_getprioceiling, (const pthread_mutex_t* m, int* to) noexcept, (m, to))
ACQREL_REFUSED(int, pthread_mutex_setprioceiling, (pthread_mutex_t * m, int to, int* b) noexcept, (m, to, b))
ACQREL_REFUSED(int, sem_close, (sem_t * s) noexcept, (s))
ACQREL_REFUSED(int, sem_unlink, (const char* n) noexcept, (n))
ACQREL_REFUSED(int, mq_send, (mqd_t q, const char* m, size_t n, unsigned p), (q, m, n, p))
ACQREL_REFUSED(ssize_t, mq_receive, (mqd_t q, char* m, size_t n, unsigned* p), (q, m, n, p))

// ---- C's own names for them
ACQREL_REFUSED(int, thrd_create, (thrd_t * t, thrd_start_t f, void* a), (t, f, a))
ACQREL_REFUSED(int, thrd_join, (thrd_t t, int* r), (t, r))
ACQREL_REFUSED(int, thrd_detach, (thrd_t t), (t))
ACQREL_REFUSED(int, mtx_init, (mtx_t * m, int t), (m, t))
ACQREL_REFUSED(int, mtx_lock, (mtx_t * m), (m))
ACQREL_REFUSED(int, mtx_timedlock, (mtx_t * m, const timespec* at), (m, at))
ACQREL_REFUSED(int, mtx_trylock, (mtx_t * m), (m))
ACQREL_REFUSED(int, mtx_unlock, (mtx_t * m), (m))
ACQREL_REFUSED(int, cnd_init, (cnd_t * c), (c))
ACQREL_REFUSED(int, cnd_wait, (cnd_t * c, mtx_t* m), (c, m))
ACQREL_REFUSED(int, cnd_timedwait, (cnd_t * c, mtx_t* m, const timespec* at), (c, m, at))
ACQREL_REFUSED(int, cnd_signal, (cnd_t * c), (c))
ACQREL_REFUSED(int, cnd_broadcast, (cnd_t * c), (c))
ACQREL_REFUSED(int, tss_create, (tss_t * k, tss_dtor_t d), (k, d))
ACQREL_REFUSED(int, tss_set, (tss_t k, void* v), (k, v))
ACQREL_REFUSED(void*, tss_get, (tss_t k), (k))

// ---- signals
ACQREL_REFUSED(int, pthread_kill, (pthread_t t, int s) noexcept, (t, s))
ACQREL_REFUSED(int, pthread_sigqueue, (pthread_t t, int s, const sigval v) noexcept, (t, s, v))
ACQREL_REFUSED(int, kill, (pid_t p, int s) noexcept, (p, s))
ACQREL_REFUSED(int, sigaction, (int s, const struct sigaction* to, struct sigaction* b) noexcept, (s, to, b))
ACQREL_REFUSED(int, sigprocmask, (int h, const sigset_t* s, sigset_t* b) noexcept, (h, s, b))
ACQREL_REFUSED(int, sigsuspend, (const sigset_t* s), (s))
ACQREL_REFUSED(int, sigwait, (const sigset_t* s, int* to), (s, to))
ACQREL_REFUSED(int, pause, (), ())
ACQREL_REFUSED(unsigned, alarm, (unsigned s) noexcept, (s))

// Not refused: since no signal arrives in a test, a thread that holds some back does as any other.
ACQREL_INTERPOSED int pthread_sigmask(int how, const sigset_t* set, sigset_t* before) noexcept {
  const call here = ACQREL_CALL;
  if (!here.modelled()) return ACQREL_C_LIBRARY(pthread_sigmask)(how, set, before);
  if (before != nullptr) sigemptyset(before);
  return 0;
}

// ---- waits for files
ACQREL_REFUSED(int, pipe, (int to[2]) noexcept, (to))
ACQREL_REFUSED(int, pipe2, (int to[2], int f) noexcept, (to, f))
ACQREL_REFUSED(int, socketpair, (int d, int t, int p, int to[2]) noexcept, (d, t, p, to))
ACQREL_REFUSED(int, eventfd, (unsigned n, int f) noexcept, (n, f))
ACQREL_REFUSED(int, signalfd, (int d, const sigset_t* s, int f) noexcept, (d, s, f))
ACQREL_REFUSED(int, timerfd_create, (int c, int f) noexcept, (c, f))
ACQREL_REFUSED(int, timer_create, (clockid_t c, sigevent* e, timer_t* to) noexcept, (c, e, to))
ACQREL_REFUSED(int, poll, (pollfd * d, nfds_t n, int t), (d, n, t))
ACQREL_REFUSED(int, select, (int n, fd_set* r, fd_set* w, fd_set* e, timeval* t), (n, r, w, e, t))
ACQREL_REFUSED(int, epoll_wait, (int d, epoll_event* e, int n, int t), (d, e, n, t))
