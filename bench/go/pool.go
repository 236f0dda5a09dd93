// SPDX-License-Identifier: Apache-2.0

package main

import "sync"

func init() { tasks["pool"] = pool }

// As bench/handoff/object_pool_bench.cpp: 1 KiB, taken, written to and returned.
func pool() func(int) batch {
	buffers := sync.Pool{New: func() any { return new([128]uint64) }}
	return func(int) batch {
		return func() {
			for i := uint64(0); i < batchSize; i++ {
				buffer := buffers.Get().(*[128]uint64)
				buffer[1] = i
				buffers.Put(buffer)
			}
		}
	}
}
