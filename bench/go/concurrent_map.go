// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
	"sync"
)

func init() {
	tasks["map_writes_1_in_100"] = func() func(int) batch { return mapMixed(100) }
	tasks["map_writes_1_in_2"] = func() func(int) batch { return mapMixed(2) }
}

// The keys of bench/keyed/concurrent_map_bench.cpp; one call in so many gives a key that is there another value.
func mapMixed(every int) func(int) batch {
	var flags sync.Map
	for i := 0; i < 1000; i++ {
		flags.Store(fmt.Sprintf("service/feature/%04d", i), uint64(i))
	}
	return func(thread int) batch {
		random := rand.New(rand.NewSource(int64(thread) + 1))
		var asked [batchSize]string
		var writes [batchSize]bool
		for i := range asked {
			asked[i] = fmt.Sprintf("service/feature/%04d", random.Intn(1000))
			writes[i] = random.Intn(every) == 0
		}
		return func() {
			sum := uint64(0)
			for i := range asked {
				if writes[i] {
					flags.Store(asked[i], sum)
				} else if value, found := flags.Load(asked[i]); found {
					sum += value.(uint64)
				}
			}
			kept[thread].value = sum
		}
	}
}
