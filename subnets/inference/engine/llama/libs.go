package llama

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/hybridgroup/yzma/pkg/llama"
	"github.com/hybridgroup/yzma/pkg/loader"
	"github.com/jupiterrider/ffi"
	"golang.org/x/sys/unix"
)

// Version is that of llama.cpp, which yzma's structures fit; ggmlVersion and ggmlCommit
// are what its libraries say of themselves.
const (
	Version     = "v0.5.0"
	ggmlVersion = "0.25.1"
	ggmlCommit  = "0ad4a86"
)

// LibrariesVariable is the environment variable that names the folder of the libraries.
const LibrariesVariable = "LODE_ENGINE_LIBRARIES"

// Libraries returns the folder with llama.cpp's libraries: that of [LibrariesVariable], or
// where `make engine` puts them; for layers on a GPU, where `make engine-cuda` does.
func Libraries(gpuLayers int) (string, error) {
	if dir := os.Getenv(LibrariesVariable); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where llama.cpp's libraries are: %w; name their folder in %s", err, LibrariesVariable)
	}
	dir := filepath.Join(cache, "lode", "llama.cpp-"+Version)
	if gpuLayers != 0 {
		dir += "-cuda"
	}
	return dir, nil
}

// Available says why models can't run here, as far as that shows without loading anything:
// nil, or an error that says what to do.
func Available() error {
	if err := platform(); err != nil {
		return err
	}
	dir, err := Libraries(0)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "libggml-base.so")); err != nil {
		return missing(dir)
	}
	return nil
}

func platform() error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("there are no libraries of llama.cpp for %s/%s here: use a server by URL", runtime.GOOS, runtime.GOARCH)
	}
	return nil
}

func missing(dir string) error {
	if strings.HasSuffix(dir, "-cuda") {
		return fmt.Errorf("llama.cpp's libraries are not in %s: fetch them with 'make engine-cuda' (for NVIDIA's GPUs), or build them for another GPU, and name their folder in %s", dir, LibrariesVariable)
	}
	return fmt.Errorf("llama.cpp's libraries are not in %s: fetch them with 'make engine', or name their folder in %s", dir, LibrariesVariable)
}

// loaded is what is in this process: libraries can't be exchanged.
var loaded struct {
	sync.Mutex
	dir, variant string
}

// load loads the libraries, once a process.
func load(dir, variant string) error {
	if err := platform(); err != nil {
		return err
	}
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.dir != "" {
		if loaded.dir != dir || loaded.variant != variant {
			return fmt.Errorf("llama.cpp is loaded from %s (%q): this process can't load %s (%q), too", loaded.dir, loaded.variant, dir, variant)
		}
		return nil
	}
	if err := checkVersion(dir); err != nil {
		return err
	}
	if err := llama.Load(dir); err != nil {
		return fmt.Errorf("llama.cpp's libraries in %s: %w; fetch them with 'make engine'", dir, err)
	}
	llama.LogSet(llama.LogSilent())
	llama.BackendInit()
	if err := loadBackends(dir, variant); err != nil {
		return err
	}
	loaded.dir, loaded.variant = dir, variant
	return nil
}

// checkVersion asks the libraries who they are before anything of them is used whose
// shape depends on it.
func checkVersion(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "libggml-base.so")); err != nil {
		return missing(dir)
	}
	lib, err := loader.LoadLibrary(dir, "ggml-base")
	if err != nil {
		return fmt.Errorf("llama.cpp's libraries in %s: %w; libffi and libstdc++ are needed (Debian: libffi8, libstdc++6)", dir, err)
	}
	var said [2]string
	for i, name := range []string{"ggml_version", "ggml_commit"} {
		f, err := lib.Prep(name, &ffi.TypePointer)
		if err != nil {
			return fmt.Errorf("llama.cpp's libraries in %s don't say their version: %w; fetch %s with 'make engine'", dir, err, Version)
		}
		var p *byte
		f.Call(unsafe.Pointer(&p))
		said[i] = unix.BytePtrToString(p)
	}
	if said[0] != ggmlVersion || said[1] != ggmlCommit {
		return fmt.Errorf("the libraries in %s are ggml %s (%s), Lode knows %s (%s) of llama.cpp %s: fetch it with 'make engine'",
			dir, said[0], said[1], ggmlVersion, ggmlCommit, Version)
	}
	return nil
}

// loadBackends loads what computes: the best for this machine, or the CPU variant that
// was asked for.
func loadBackends(dir, variant string) error {
	if variant == "" {
		if err := llama.GGMLBackendLoadAllFromPath(dir); err != nil {
			return fmt.Errorf("llama.cpp's backends: %w", err)
		}
		return nil
	}
	path := filepath.Join(dir, "libggml-cpu-"+variant+".so")
	if strings.ContainsAny(variant, "/\\\x00") {
		return fmt.Errorf("%q is not a CPU variant", variant)
	}
	if _, err := os.Stat(path); err != nil {
		all, _ := Variants(dir)
		return fmt.Errorf("there is no CPU variant %q, but %s", variant, strings.Join(all, ", "))
	}
	lib, err := loader.LoadLibrary(dir, "ggml")
	if err != nil {
		return err
	}
	f, err := lib.Prep("ggml_backend_load", &ffi.TypePointer, &ffi.TypePointer)
	if err != nil {
		return err
	}
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	var registered uintptr
	f.Call(unsafe.Pointer(&registered), unsafe.Pointer(&name))
	runtime.KeepAlive(name)
	if registered == 0 {
		return fmt.Errorf("this processor can't run the variant %q", variant)
	}
	return nil
}

// gpus names the GPUs that the loaded libraries can use.
func gpus() []string {
	var names []string
	for i := range llama.GGMLBackendDeviceCount() {
		d := llama.GGMLBackendDeviceGet(i)
		switch llama.GGMLBackendDevType(d) {
		case llama.GGMLBackendDeviceTypeGPU, llama.GGMLBackendDeviceTypeIGPU:
			names = append(names, llama.GGMLBackendDeviceDescription(d))
		}
	}
	return names
}

// Variants lists the CPU variants in a folder of libraries.
func Variants(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "libggml-cpu-*.so"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errors.New("there are no CPU variants in " + dir)
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(p), "libggml-cpu-"), ".so")
	}
	return paths, nil
}
