package app

import (
	"os"
	"path/filepath"
)

// Name is the application's name.
const Name = "lode"

// Version is the program's version, set by the linker (see the Makefile).
var Version = "dev"

// DefaultHome is the home of a node that is told no other: ~/.lode/node. Without
// a home directory of the user it is relative to the working directory.
var DefaultHome = defaultHome()

func defaultHome() string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".lode", "node")
}
