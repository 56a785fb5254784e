// Package cli is the program `lode`: one file a command group, flags and printing,
// no logic of its own.
//
// [Main] runs it with the process's arguments, [Run] with any. What a command prints
// goes to standard output, progress and errors to standard error. With --json it prints
// one bare value: integers in base units (rao, units of alpha) are decimal strings,
// prices, scores, incentive and dividends are numbers, what nobody knows is null; an
// error is {"error":{"code","message","hint"}} on standard error.
//
// Exit codes: 0 it worked, 1 it did not, 2 the command line is wrong, 130 interrupted.
package cli
