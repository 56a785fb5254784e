// Package child runs an engine in a process of its own, so that a crash of native code
// ends that process and not its user.
//
// # Use
//
// [Start] starts a program and returns an [engine.Engine] that asks it over a socket; the
// program calls [Serve] with the socket, which it has as file 3. What it is to open is
// told over the socket, too: nothing of it is in the arguments or the environment.
//
// # Guarantees
//
// When the process ends in whatever way, its requests end with [engine.ErrGone], with what
// was made of them so far, and it is started again, after a pause that doubles with each
// failure. When its parent ends in whatever way, the process ends. A model that is another
// one after a restart is refused. What the process prints is dropped, except for the place
// of a failed assertion, as it could hold prompts.
package child
