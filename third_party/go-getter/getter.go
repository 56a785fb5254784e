// Package getter stands in for github.com/hashicorp/go-getter, which
// x/upgrade imports to download upgrade binaries and which pulls in the AWS and
// GCS SDKs (380 packages). Every download here fails with an error that says
// so: an operator installs upgrade binaries by hand or with cosmovisor's
// folder layout.
package getter

import (
	"context"
	"errors"
	"net/http"
)

// ErrDisabled is what every download returns.
var ErrDisabled = errors.New("automatic download of upgrade binaries is not built in: put the binary in cosmovisor's folder yourself")

// ChecksumError mirrors go-getter's type, which callers match with errors.As.
type ChecksumError struct {
	Expected, Actual []byte
	File             string
}

func (e *ChecksumError) Error() string { return "checksum did not match for " + e.File }

// Getter, HttpGetter, Client and ClientMode mirror the shapes that x/upgrade fills in.
type (
	Getter     any
	HttpGetter struct {
		Client                *http.Client
		XTerraformGetDisabled bool
	}
	ClientMode int
	Client     struct {
		Ctx             context.Context
		Src, Dst        string
		Pwd             string
		DisableSymlinks bool
		Mode            ClientMode
		Getters         map[string]Getter
	}
)

// Modes of a Client.
const (
	ClientModeInvalid ClientMode = iota
	ClientModeAny
	ClientModeFile
	ClientModeDir
)

// Getters is the (empty) table of protocols.
var Getters = map[string]Getter{}

// Get always fails with ErrDisabled.
func (c *Client) Get() error { return ErrDisabled }

// Get always fails with ErrDisabled.
func Get(dst, src string) error { return ErrDisabled }

// GetFile always fails with ErrDisabled.
func GetFile(dst, src string) error { return ErrDisabled }
