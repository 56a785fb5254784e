package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/models"
	"github.com/lodenet/lode/subnets/video"
	"github.com/lodenet/lode/subnets/video/media"
	"github.com/lodenet/lode/wallet"
	markettypes "github.com/lodenet/lode/x/market/types"
	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// failure is an error with a code for programs and what to do about it.
type failure struct {
	code string // lower_snake_case, stable
	hint string // what to do; may be empty
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail makes an error with a code and a hint.
func fail(code, hint, format string, args ...any) error {
	return &failure{code: code, hint: hint, err: fmt.Errorf(format, args...)}
}

// Codes that decide about the exit code.
const (
	codeUsage       = "usage"
	codeInterrupted = "interrupted"
)

// usage makes a wrong command line's error.
func usage(cmd *cobra.Command, err error) error {
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	msg := err.Error()
	if strings.HasPrefix(msg, "accepts ") || strings.HasPrefix(msg, "requires ") || strings.HasPrefix(msg, "unknown command") {
		return fail(codeUsage, "see `"+cmd.CommandPath()+" --help`", "wrong arguments for `%s`: usage is `%s`", cmd.CommandPath(), cmd.UseLine())
	}
	return fail(codeUsage, "see `"+cmd.CommandPath()+" --help`", "%w", err)
}

// usageUnknown is the error of a word that is no command, with the nearest that are.
func usageUnknown(cmd *cobra.Command, word string) error {
	hint := "see `" + cmd.CommandPath() + " --help`"
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		hint = "did you mean `" + cmd.CommandPath() + " " + near[0] + "`?"
	}
	return fail(codeUsage, hint, "`%s` has no command %q", cmd.CommandPath(), word)
}

// known are errors of other packages with the code that programs see, and what to do
// where their text does not say so itself.
var known = []struct {
	is         error
	code, hint string
}{
	{localnet.ErrNoNetwork, "no_network", ""},
	{localnet.ErrHomeVersion, "home_version", ""},
	{localnet.ErrHomeInUse, "home_in_use", ""},
	{wallet.ErrWrongPassphrase, "wrong_passphrase", "try again; LODE_PASSPHRASE and --passphrase-file go before the home's own"},
	{wallet.ErrBadPassphrase, "bad_passphrase", ""},
	{wallet.ErrNotFound, "no_key", "`lode wallet list` shows the keys; `lode wallet create` makes one"},
	{wallet.ErrExists, "key_exists", "choose another name; a key is never overwritten"},
	{wallet.ErrBadName, "bad_name", ""},
	{wallet.ErrBadMnemonic, "bad_mnemonic", ""},
	{wallet.ErrBadProof, "bad_proof", "ask for a new one: lode wallet prove"},
	{wallet.ErrBadKey, "bad_key", ""},
	{wallet.ErrBadAddress, "bad_address", "copy it again: every character counts"},
	{wallet.ErrAbsent, "key_elsewhere", "--generate-only writes the transaction, `lode tx sign` signs it where the key is"},
	{wallet.ErrMultisig, "bad_multisig", ""},
	{wallet.ErrLedger, "ledger", "plug it in, open its Cosmos app, and use a program that is built for it: docs/wallet.md"},
	{wallet.ErrLooksAlike, "looks_alike", "compare every character; `lode wallet book add NAME ADDRESS --look-alike` says that it is right"},
	{client.ErrUnordered, "unordered", ""},
	{localnet.ErrPortInUse, "port_in_use", ""},
	{app.ErrUpgradeNeeded, "upgrade_needed", ""},
	{app.ErrTooNew, "too_new", ""},
	{media.ErrNoFFmpeg, "no_ffmpeg", ""},
	{media.ErrNotVideo, "not_video", "give a file that a player plays: ffmpeg's tools read it"},
	{media.ErrDamaged, "damaged_video", "get the file again, or repair it first"},
	{media.ErrCarry, "cant_carry", ""},
	{media.ErrMeasure, "no_measure", ""},
	{video.ErrExists, "output_exists", ""},
	{video.ErrNoGateway, "no_gateway", "`lode metagraph` shows who serves what; `lode validate video` runs a validator"},
	{video.ErrNoMiners, "no_miners", "a network that has just started publishes its endpoints within some blocks; `lode metagraph` shows who serves what"},
	{inference.ErrNoReceipt, "no_receipt", "`lode inference receipts --days 90` lists them"},
	{models.ErrNotFound, "no_model", ""},
	{models.ErrAmbiguous, "ambiguous_model", ""},
	{models.ErrChanged, "model_changed", ""},
	{models.ErrNoModel, "not_a_model", "give a GGUF file that is whole"},
	{video.ErrCheck, "bad_result", "nothing was written; try again"},
	{pay.ErrInUse, "in_use", "wait until the process that has the books open is done, or stop it"},
	{authz.ErrNoAuthorizationFound, "not_allowed", "`lode wallet allow` of the payer allows a key to spend"},
	{markettypes.ErrLimit, "over_allowance", "`lode wallet allow --list` shows what is allowed, and what of it is left"},
	{markettypes.ErrNotYours, "not_yours", "name the key that it belongs to with --from"},
	{pay.ErrNoService, "not_found", "`lode market list` shows the services"},
	{pay.ErrNoChannel, "not_found", "`lode pay list` shows the channels that are open"},
	{pay.ErrLimit, "over_limit", "`lode pay limits` shows and sets the limits"},
	{pay.ErrNoDeposit, "no_deposit", "`lode pay open` opens a channel, `lode pay limits --deposit` lets them be opened"},
	{pay.ErrDishonest, "dishonest_provider", "close its channel with `lode pay close`: it can claim no more than was signed"},
	{pay.ErrUnknownOutcome, "unknown_outcome", "`lode pay history` shows it; the same request again is a new payment"},
	{pay.ErrRefused, "payment_refused", ""},
	{client.ErrBoundElsewhere, "bound_elsewhere", "name its coldkey with --from"},
	{syscall.EADDRINUSE, "port_in_use", "choose another port, or 0 for a free one"},
	{syscall.ENOSPC, "disk_full", "make room on the disk"},
}

// explain finds the code and the hint of an error.
func explain(err error) (code, hint string) {
	var f *failure
	if errors.As(err, &f) {
		return f.code, f.hint
	}
	var held *pay.InUseError
	if errors.As(err, &held) && held.PID != 0 {
		return "in_use", fmt.Sprintf("wait until %s is done, or stop it", held.Holder)
	}
	for _, k := range known {
		if errors.Is(err, k.is) {
			return k.code, k.hint
		}
	}
	// What was sent before the interruption may be done: its hash counts.
	if errors.Is(err, context.Canceled) && !errors.Is(err, client.ErrTxUnknown) {
		return codeInterrupted, ""
	}
	return client.Describe(err)
}

// lines are those of an error, in which there may be what a node or a file has said.
func lines(s string) string {
	list := strings.Split(s, "\n")
	for i := range list {
		list[i] = printable(list[i])
	}
	return strings.Join(list, "\n")
}

// report prints an error and returns the exit code.
func report(w io.Writer, err error, asJSON bool) int {
	code, hint := explain(err)
	message := strings.TrimSpace(err.Error())
	if code == codeInterrupted {
		message = "interrupted"
	}
	if asJSON {
		type body struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Hint    string `json:"hint"`
		}
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(struct { // nowhere is left to say that it can't be said
			Error body `json:"error"`
		}{body{code, message, hint}})
	} else {
		fmt.Fprintln(w, "error:", lines(message))
		if hint != "" {
			fmt.Fprintln(w, "hint: ", lines(hint))
		}
	}
	switch code {
	case codeUsage:
		return exitUsage
	case codeInterrupted:
		return exitInterrupted
	}
	return exitFailed
}
