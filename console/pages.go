package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
)

// index is the file of the page, whose own paths lie behind the # of its address.
const index = "index.html"

// pages are the files of the built page, in memory.
type pages struct {
	files map[string]*file // by path, without a slash before it
	build string
}

// file is one of them; what is compressed is made when it is first asked for.
type file struct {
	raw         []byte
	contentType string
	etag        string
	hashed      bool // its name changes with its content
	gzip, br    func() []byte
}

// hashedName is what Vite makes of names: name-HASH.ext.
var hashedName = regexp.MustCompile(`-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$`)

// contentTypes of what pages are made of; the system's table differs between machines.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".json": "application/json; charset=utf-8", ".map": "application/json; charset=utf-8",
	".wasm": "application/wasm", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webp": "image/webp",
	".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
}

func newPages(from fs.FS) (*pages, error) {
	p := &pages{files: map[string]*file{}}
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		p.files[name] = newFile(name, raw)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the console's page can't be read: %w", err)
	}
	if p.files[index] == nil {
		return nil, fmt.Errorf("the console's page has no %s: build it with `make console`", index)
	}
	p.build = BuildOf(p.contents())
	return p, nil
}

func (p *pages) contents() map[string][]byte {
	all := map[string][]byte{}
	for name, f := range p.files {
		all[name] = f.raw
	}
	return all
}

// BuildOf is the hash of a build by its files: SHA-256 over each one's name, length and
// content, in the order of names.
func BuildOf(files map[string][]byte) string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		fmt.Fprintf(sum, "%s\n%d\n", name, len(files[name]))
		sum.Write(files[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func newFile(name string, raw []byte) *file {
	sum := sha256.Sum256(raw)
	f := &file{raw: raw, etag: hex.EncodeToString(sum[:16]), hashed: hashedName.MatchString(path.Base(name)) && strings.HasPrefix(name, "assets/")}
	if f.contentType = contentTypes[path.Ext(name)]; f.contentType == "" {
		if f.contentType = mime.TypeByExtension(path.Ext(name)); f.contentType == "" {
			f.contentType = "application/octet-stream"
		}
	}
	f.gzip = sync.OnceValue(func() []byte {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one
		_, _ = z.Write(raw)                                   // nor does memory fail
		_ = z.Close()
		return smaller(b.Bytes(), raw)
	})
	f.br = sync.OnceValue(func() []byte {
		var b bytes.Buffer
		z := brotli.NewWriterLevel(&b, 9)
		_, _ = z.Write(raw)
		_ = z.Close()
		return smaller(b.Bytes(), raw)
	})
	return f
}

// smaller is packed if it is worth it, else nil.
func smaller(packed, raw []byte) []byte {
	if len(packed) < len(raw)-len(raw)/10 {
		return packed
	}
	return nil
}

func (p *pages) serve(w http.ResponseWriter, r *http.Request) {
	if !reads(r.Method) {
		w.Header().Set("Allow", "GET, HEAD")
		writeFailure(w, fail(http.StatusMethodNotAllowed, "bad_value", "", "pages are only read"))
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	f := p.files[name]
	if f == nil {
		// What looks like a file is missing. What doesn't is a path of the page's that somebody
		// typed without the #.
		if path.Ext(name) != "" || strings.HasPrefix(name, "assets/") {
			secure(w.Header(), dataPolicy)
			writeFailure(w, fail(http.StatusNotFound, "not_found", "load the page anew: it may be of another build", "%.200s: there is no such file", r.URL.Path))
			return
		}
		if name != "" {
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("Location", pagePath(r))
			w.WriteHeader(http.StatusFound)
			return
		}
		f = p.files[index]
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime))
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Add("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if f.hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, encoding := f.raw, ""
	if accepts(r, "br") {
		if b := f.br(); b != nil {
			body, encoding = b, "br"
		}
	}
	if encoding == "" && accepts(r, "gzip") {
		if b := f.gzip(); b != nil {
			body, encoding = b, "gzip"
		}
	}
	etag := f.etag
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		etag += "-" + encoding
	}
	etag = `"` + etag + `"`
	h.Set("ETag", etag)
	if known := r.Header.Get("If-None-Match"); known != "" && slices.ContainsFunc(strings.Split(known, ","), func(k string) bool {
		return strings.TrimPrefix(strings.TrimSpace(k), "W/") == etag
	}) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // an error means that the caller is gone
}

// pagePath is where the page has what a request asks for, always on this server.
func pagePath(r *http.Request) string {
	at := "/#" + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		at += "?" + r.URL.RawQuery
	}
	return at
}
