package child

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test binary stand in for other programs. With RUN_COMMAND it runs a command as
// exec does, says that it is still there afterwards, and exits with the command's code; with GO_GET
// it is a Go program that asks for some URLs.
func TestMain(m *testing.M) {
	if command := os.Getenv("RUN_COMMAND"); command != "" {
		code, err := Run(context.Background(), []string{"sh", "-c", command}, os.Environ(), Inherit())
		fmt.Printf("saved %d %v\n", code, err)
		os.Exit(code)
	}
	if urls := os.Getenv("GO_GET"); urls != "" {
		if err := goGet(urls); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
