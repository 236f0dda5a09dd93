package main

import "sync/atomic"

// One number that all threads count in.
func counter() func(thread int) batch {
	count := new(struct {
		before [128]byte
		number int64
		after  [128]byte
	})
	return func(int) batch {
		return func() {
			for i := 0; i < batchSize; i++ {
				atomic.AddInt64(&count.number, 1)
			}
		}
	}
}

func init() { tasks["counter"] = counter }
