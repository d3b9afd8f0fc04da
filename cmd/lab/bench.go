package main

import (
	"context"
	"errors"
)

// bench measures.
func bench(context.Context, *lab, []string) error { return errors.New("no bench yet") }
