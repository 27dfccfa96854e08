package diff

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"tapedeck/cassettes/clean"
)

// inParallel calls f for 0 to n-1, several at a time, and returns the error of the lowest
// number.
func inParallel(n int, f func(i int) error) error {
	var (
		next   atomic.Int64
		group  sync.WaitGroup
		mu     sync.Mutex
		failed = n
		fault  error
	)
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(i); err != nil {
					mu.Lock()
					if i < failed {
						failed, fault = i, err
					}
					mu.Unlock()
					return
				}
			}
		})
	}
	group.Wait()
	return fault
}

// interactionError says which interaction cannot be read.
func interactionError(in clean.Interaction, err error) error {
	return fmt.Errorf("interaction %d: %w", in.ID, err)
}
