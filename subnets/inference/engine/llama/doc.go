// Package llama answers with llama.cpp, without cgo: its libraries are loaded when the
// engine starts (`make engine` fetches them; yzma describes their structures).
//
// # Use
//
// [Start] runs the engine in a child process and returns an [engine.Engine] that talks to
// it: a crash of native code ends the child, not its parent. [Load] runs it in this
// process. The program that calls Start must be able to become the child: its main (or
// TestMain) calls [ChildMain] first, or has a command that does, as `lode engine-child`.
//
// # How requests share a model
//
// One goroutine owns llama.cpp's context. Each step of it decodes one batch: a token for
// every answer in the making, and parts of the prompts that are still being read, each in
// its own sequence. Requests take a slot in the order in which they came; each slot has
// room for a whole context, so that a request that has started never runs out of memory.
// Beyond the slots, requests wait in a queue with a bound; beyond that they are refused
// with [engine.ErrBusy].
//
// # Guarantees
//
// Libraries of another version than [Version] are refused: their structures would be
// misread. Nothing that llama.cpp or the child print reaches a log, as it could hold
// prompts; the place of a failed assertion does.
package llama
