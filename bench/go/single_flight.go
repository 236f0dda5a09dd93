// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"sync"
)

// What Go programs do, in the usual words: whoever comes first calls, the others wait for its WaitGroup.
type flight struct {
	landed sync.WaitGroup
	value  interface{}
	err    error
	shared int
}

type flightGroup struct {
	sync.Mutex
	underWay map[string]*flight
}

func (g *flightGroup) do(key string, work func() (interface{}, error)) (interface{}, error, bool) {
	g.Lock()
	if g.underWay == nil {
		g.underWay = make(map[string]*flight)
	}
	if f, found := g.underWay[key]; found {
		f.shared++
		g.Unlock()
		f.landed.Wait()
		return f.value, f.err, true
	}
	f := new(flight)
	f.landed.Add(1)
	g.underWay[key] = f
	g.Unlock()

	func() {
		ended := false
		defer func() {
			if !ended {
				f.err = fmt.Errorf("the work panicked")
			}
			g.Lock()
			if g.underWay[key] == f {
				delete(g.underWay, key)
			}
			g.Unlock()
			f.landed.Done()
		}()
		f.value, f.err = work()
		ended = true
	}()
	return f.value, f.err, f.shared > 0
}

func init() {
	tasks["single_flight"] = func() func(int) batch {
		var group flightGroup
		return func(thread int) batch {
			var keys [batchSize]string
			for i := range keys {
				keys[i] = fmt.Sprintf("%d/%d", 1000*thread, i)
			}
			return func() {
				sum := uint64(0)
				for _, key := range keys {
					value, _, _ := group.do(key, func() (interface{}, error) { return uint64(len(key)), nil })
					sum += value.(uint64)
				}
				kept[thread].value = sum
			}
		}
	}
}
