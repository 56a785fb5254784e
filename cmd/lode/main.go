// Command lode runs and uses a Lode network. See internal/cli.
package main

import (
	"os"

	"github.com/lodenet/lode/internal/cli"
)

func main() { os.Exit(cli.Main()) }
