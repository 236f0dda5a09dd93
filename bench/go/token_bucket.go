// SPDX-License-Identifier: Apache-2.0

// The rival of bench/pace/token_bucket_bench.cpp: what a limiter in Go does, a mutex and a float of tokens.
package main

import (
	"math"
	"sync"
	"time"
)

func init() { tasks["token_bucket"] = tokenBucket }

type bucket struct {
	mutex    sync.Mutex
	rate     float64 // a second
	capacity float64
	tokens   float64
	last     time.Time
}

func (b *bucket) take(n float64) bool {
	now := time.Now()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if passed := now.Sub(b.last); passed > 0 {
		b.tokens = math.Min(b.capacity, b.tokens+passed.Seconds()*b.rate)
		b.last = now
	}
	if b.tokens < n {
		return false
	}
	b.tokens -= n
	return true
}

func tokenBucket() func(int) batch {
	shared := &bucket{rate: 1e6, capacity: 1e15, tokens: 1e15, last: time.Now()}
	return func(thread int) batch {
		return func() {
			taken := uint64(0)
			for i := 0; i < batchSize; i++ {
				if shared.take(1) {
					taken++
				}
			}
			kept[thread].value = taken
		}
	}
}
