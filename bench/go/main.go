// SPDX-License-Identifier: Apache-2.0

// The rivals written in Go, for bench/go.hpp: a line "TASK THREADS MILLISECONDS" in, a line out with the nanoseconds of one
// thread for one operation. Each goroutine has an operating-system thread to itself, on a CPU of its own where they suffice,
// as the threads of bench/harness.cpp have.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// What one thread does 1,024 times between two looks at the clock.
type batch func()

const batchSize = 1024

// kept makes the compiler believe that a result is used.
var kept [64]struct {
	value uint64
	_     [56]byte
}

// tasks make the shared state of a repetition, and a batch for each thread.
var tasks = map[string]func() func(thread int) batch{
	"pointer_load": pointerLoad,
	"mutex":        mutex,
	"once":         once,
	"map_get":      mapGet,
	"wait_group":   waitGroup,
	"channel":      func() func(int) batch { return channel(128) },
	"rendezvous":   func() func(int) batch { return channel(0) },
	"goroutines":   goroutines,
	"select":       selectOfTwo,
}

func pointerLoad() func(int) batch {
	var current atomic.Pointer[[8]uint64]
	current.Store(&[8]uint64{1})
	return func(thread int) batch {
		return func() {
			sum := uint64(0)
			for i := 0; i < batchSize; i++ {
				sum += current.Load()[0]
			}
			kept[thread].value = sum
		}
	}
}

func mutex() func(int) batch {
	var guarded struct {
		sync.Mutex
		count uint64
	}
	return func(int) batch {
		return func() {
			for i := 0; i < batchSize; i++ {
				guarded.Lock()
				guarded.count++
				guarded.Unlock()
			}
		}
	}
}

func once() func(int) batch {
	var first sync.Once
	value := uint64(0)
	build := func() { value = 1 }
	return func(thread int) batch {
		return func() {
			sum := uint64(0)
			for i := 0; i < batchSize; i++ {
				first.Do(build)
				sum += value
			}
			kept[thread].value = sum
		}
	}
}

func waitGroup() func(int) batch {
	var group sync.WaitGroup
	group.Add(1)
	return func(int) batch {
		return func() {
			for i := 0; i < batchSize; i++ {
				group.Add(1)
				group.Done()
			}
		}
	}
}

func goroutines() func(int) batch {
	runtime.GOMAXPROCS(2)
	var done int64
	return func(int) batch {
		return func() {
			var group sync.WaitGroup
			group.Add(batchSize)
			for i := 0; i < batchSize; i++ {
				go func() {
					atomic.AddInt64(&done, 1)
					group.Done()
				}()
			}
			group.Wait()
		}
	}
}

// The keys of bench/publish/cow_map_bench.cpp: 1,000 of 20 characters, asked for in a random order.
func mapGet() func(int) batch {
	var flags sync.Map
	for i := 0; i < 1000; i++ {
		flags.Store(fmt.Sprintf("service/feature/%04d", i), uint64(i))
	}
	return func(thread int) batch {
		random := rand.New(rand.NewSource(int64(thread) + 1))
		var asked [batchSize]string
		for i := range asked {
			asked[i] = fmt.Sprintf("service/feature/%04d", random.Intn(1000))
		}
		return func() {
			sum := uint64(0)
			for i := range asked {
				if value, found := flags.Load(asked[i]); found {
					sum += value.(uint64)
				}
			}
			kept[thread].value = sum
		}
	}
}

// Items that another goroutine sends, locked to a thread of its own; one batch receives them.
func channel(capacity int) func(int) batch {
	runtime.GOMAXPROCS(2)
	allowed := cpus()
	items := make(chan uint64, capacity)
	return func(thread int) batch {
		return func() {
			go func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				pin(allowed[len(allowed)-1])
				for i := uint64(0); i < batchSize; i++ {
					items <- i
				}
			}()
			sum := uint64(0)
			for i := 0; i < batchSize; i++ {
				sum += <-items
			}
			kept[thread].value = sum
		}
	}
}

func selectOfTwo() func(int) batch {
	both := [2]chan uint64{make(chan uint64, 8), make(chan uint64, 8)}
	return func(thread int) batch {
		return func() {
			sum := uint64(0)
			for i := uint64(0); i < batchSize; i++ {
				both[i%2] <- i
				select {
				case item := <-both[0]:
					sum += item
				case item := <-both[1]:
					sum += item
				}
			}
			kept[thread].value = sum
		}
	}
}

// The CPUs this process may use. A refusal only costs precision.
func cpus() []int {
	var set [16]uint64
	syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
	var found []int
	for cpu := 0; cpu < 64*len(set); cpu++ {
		if set[cpu/64]>>(cpu%64)&1 != 0 {
			found = append(found, cpu)
		}
	}
	return found
}

func pin(cpu int) {
	var set [16]uint64
	set[cpu/64] = 1 << (cpu % 64)
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
}

func repeat(task func() func(int) batch, threads int, duration time.Duration, allowed []int) float64 {
	runtime.GOMAXPROCS(threads)
	share := task()
	var elapsed, operations, absent int64
	absent = int64(threads)
	var ended sync.WaitGroup
	for thread := 0; thread < threads; thread++ {
		ended.Add(1)
		go func(thread int) {
			defer ended.Done()
			runtime.LockOSThread() // and never unlocked: the pinned thread ends with its goroutine
			if threads <= len(allowed) {
				pin(allowed[thread])
			}
			run := share(thread)
			run()
			atomic.AddInt64(&absent, -1)
			for atomic.LoadInt64(&absent) != 0 {
				runtime.Gosched()
			}
			start, done, passed := time.Now(), int64(0), time.Duration(0)
			for passed < duration {
				run()
				done += batchSize
				passed = time.Since(start)
			}
			atomic.AddInt64(&elapsed, int64(passed))
			atomic.AddInt64(&operations, done)
		}(thread)
	}
	ended.Wait()
	nanoseconds := float64(elapsed) / float64(operations)
	if threads > len(allowed) { // each gets a share of the time; count the share, not the wait for it
		nanoseconds *= float64(len(allowed)) / float64(threads)
	}
	return nanoseconds
}

func main() {
	allowed := cpus()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var name string
		var threads int
		var milliseconds float64
		if _, wrong := fmt.Sscan(lines.Text(), &name, &threads, &milliseconds); wrong != nil || threads < 1 || threads > len(kept) {
			fmt.Fprintf(os.Stderr, "go_rivals: \"%s\" is not TASK THREADS MILLISECONDS, with 1 to %d threads\n", lines.Text(), len(kept))
			os.Exit(1)
		}
		task := tasks[name]
		if task == nil {
			fmt.Fprintf(os.Stderr, "go_rivals: there is no task %s; add it to tasks in bench/go/main.go\n", name)
			os.Exit(1)
		}
		fmt.Println(repeat(task, threads, time.Duration(milliseconds*float64(time.Millisecond)), allowed))
	}
}
