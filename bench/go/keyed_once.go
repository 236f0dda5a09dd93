// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
	"sync"
)

func init() { tasks["keyed_once"] = keyedOnce }

type onceEntry struct {
	once  sync.Once
	value uint64
}

// A sync.Once for each key; one is allocated only when there seems to be none.
func keyedOnce() func(int) batch {
	var entries sync.Map
	get := func(key string) uint64 {
		found, ok := entries.Load(key)
		if !ok {
			found, _ = entries.LoadOrStore(key, new(onceEntry))
		}
		entry := found.(*onceEntry)
		entry.once.Do(func() { entry.value = uint64(len(key)) })
		return entry.value
	}
	var names [1000]string
	for i := range names {
		names[i] = fmt.Sprintf("service/feature/%04d", i)
		get(names[i])
	}
	return func(thread int) batch {
		random := rand.New(rand.NewSource(int64(thread) + 1))
		var asked [batchSize]string
		for i := range asked {
			asked[i] = fmt.Sprintf("service/feature/%04d", random.Intn(len(names)))
		}
		return func() {
			sum := uint64(0)
			for _, key := range asked {
				sum += get(key)
			}
			kept[thread].value = sum
		}
	}
}
