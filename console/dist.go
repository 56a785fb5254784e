package console

import (
	"embed"
	"io/fs"
)

// dist is the built page: `npm run build` in web writes it.
//
//go:embed all:dist
var dist embed.FS

// embedded are the files of the page that is built in.
func embedded() (fs.FS, error) { return fs.Sub(dist, "dist") }

// Build is a built page.
type Build struct {
	Hash  string // see [BuildOf]
	Files int
}

// BuiltIn is the page that is built in.
func BuiltIn() (Build, error) {
	from, err := embedded()
	if err != nil {
		return Build{}, err
	}
	p, err := newPages(from)
	if err != nil {
		return Build{}, err
	}
	return Build{p.build, len(p.files)}, nil
}
