package main

import (
	"errors"
	"fmt"
	"sync"
)

// faults collects what is wrong, each kind once.
type faults struct {
	mu    sync.Mutex
	kinds []string
	count map[string]int
}

func (f *faults) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	if f.count[text]++; f.count[text] == 1 && len(f.kinds) < 40 {
		f.kinds = append(f.kinds, text)
		fmt.Println("FAULT:", text)
	}
}

// report returns all that was found as one error.
func (f *faults) report() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []error
	for _, kind := range f.kinds {
		all = append(all, fmt.Errorf("%s (%d times)", kind, f.count[kind]))
	}
	return errors.Join(all...)
}
