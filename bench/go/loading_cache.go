// SPDX-License-Identifier: Apache-2.0

// A hit in the cache that the source document writes: a map and a sync.Mutex.
package main

import (
	"fmt"
	"math/rand"
	"sync"
)

func init() { tasks["cache_get"] = cacheGet }

func cacheGet() func(int) batch {
	const entries = 1000
	var cache struct {
		sync.Mutex
		data map[string]uint64
	}
	cache.data = map[string]uint64{}
	key := func(n int) string { return fmt.Sprintf("service/feature/%04d", n) }
	for n := 0; n < entries; n++ {
		cache.data[key(n)] = uint64(n)
	}
	return func(thread int) batch {
		random := rand.New(rand.NewSource(int64(thread)))
		asked := make([]string, batchSize)
		for i := range asked {
			asked[i] = key(random.Intn(entries))
		}
		return func() {
			sum := uint64(0)
			for _, each := range asked {
				cache.Lock()
				sum += cache.data[each]
				cache.Unlock()
			}
			kept[thread].value = sum
		}
	}
}
