// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"
	"sync"
)

func init() { tasks["resource_pool"] = resourcePool }

// A buffered channel of idle resources for each key.
func resourcePool() func(int) batch {
	var idle sync.Map
	var hosts [16]string
	for i := range hosts {
		hosts[i] = "host-" + strconv.Itoa(i) + ".example:443"
	}
	use := func(host string) uint64 {
		found, ok := idle.Load(host)
		if !ok {
			found, _ = idle.LoadOrStore(host, make(chan *uint64, 8))
		}
		ones := found.(chan *uint64)
		var one *uint64
		select {
		case one = <-ones:
		default:
			one = new(uint64)
		}
		value := *one
		select {
		case ones <- one:
		default:
		}
		return value
	}
	return func(thread int) batch {
		return func() {
			sum := uint64(0)
			for i := 0; i < batchSize; i++ {
				sum += use(hosts[i%len(hosts)])
			}
			kept[thread].value = sum
		}
	}
}
