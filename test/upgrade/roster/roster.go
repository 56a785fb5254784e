package roster

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	gwruntime "github.com/grpc-ecosystem/grpc-gateway/runtime"

	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
)

// Name is the module's and, unless it is renamed, its store's.
const Name = "roster"

// Entry is a neuron on the list.
type Entry struct {
	Hotkey     sdk.AccAddress `json:"hotkey"`
	SubnetID   uint64         `json:"subnet_id"`
	UID        uint32         `json:"uid"`
	Registered int64          `json:"registered"` // block
}

// Roster is the list.
type Roster struct{ store store.KVStoreService }

// New keeps the list in a store.
func New(s store.KVStoreService) Roster { return Roster{s} }

// Key is where an entry is in the store: the subnet's id and the hotkey.
func Key(subnetID uint64, hotkey sdk.AccAddress) []byte {
	return append(binary.BigEndian.AppendUint64(nil, subnetID), hotkey...)
}

// Value is what is there: uid and block.
func (e Entry) Value() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, e.UID), uint64(e.Registered))
}

// Put enters a neuron.
func (r Roster) Put(ctx context.Context, e Entry) error {
	return r.store.OpenKVStore(ctx).Set(Key(e.SubnetID, e.Hotkey), e.Value())
}

// All are the entries, by subnet and hotkey.
func (r Roster) All(ctx context.Context) (list []Entry, err error) {
	it, err := r.store.OpenKVStore(ctx).Iterator(nil, nil)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ; it.Valid(); it.Next() {
		k, v := it.Key(), it.Value()
		if len(k) <= 8 || len(v) != 12 {
			return nil, fmt.Errorf("no entry of the roster: %x = %x", k, v)
		}
		list = append(list, Entry{
			Hotkey: bytes.Clone(k[8:]), SubnetID: binary.BigEndian.Uint64(k),
			UID: binary.BigEndian.Uint32(v), Registered: int64(binary.BigEndian.Uint64(v[4:])),
		})
	}
	return list, nil
}

// AppModule is the module as the application wires it.
type AppModule struct{ Roster }

var (
	_ appmodule.AppModule        = AppModule{}
	_ module.AppModuleBasic      = AppModule{}
	_ module.HasGenesis          = AppModule{}
	_ module.HasConsensusVersion = AppModule{}
)

// IsAppModule marks the type.
func (AppModule) IsAppModule() {}

// IsOnePerModuleType marks the type.
func (AppModule) IsOnePerModuleType() {}

// Name is the module's name.
func (AppModule) Name() string { return Name }

// ConsensusVersion is the first.
func (AppModule) ConsensusVersion() uint64 { return 1 }

// RegisterLegacyAminoCodec has no message to register.
func (AppModule) RegisterLegacyAminoCodec(*codec.LegacyAmino) {}

// RegisterInterfaces has no message to register.
func (AppModule) RegisterInterfaces(codectypes.InterfaceRegistry) {}

// RegisterGRPCGatewayRoutes has no query to serve.
func (AppModule) RegisterGRPCGatewayRoutes(client.Context, *gwruntime.ServeMux) {}

// DefaultGenesis is an empty list.
func (AppModule) DefaultGenesis(codec.JSONCodec) json.RawMessage { return json.RawMessage("[]") }

// ValidateGenesis reads it.
func (AppModule) ValidateGenesis(_ codec.JSONCodec, _ client.TxEncodingConfig, raw json.RawMessage) error {
	var list []Entry
	return json.Unmarshal(raw, &list)
}

// InitGenesis enters all of a genesis file's list.
func (m AppModule) InitGenesis(ctx sdk.Context, _ codec.JSONCodec, raw json.RawMessage) {
	var list []Entry
	if err := json.Unmarshal(raw, &list); err != nil {
		panic(err)
	}
	for _, e := range list {
		if err := m.Put(ctx, e); err != nil {
			panic(err)
		}
	}
}

// ExportGenesis is the list for a genesis file.
func (m AppModule) ExportGenesis(ctx sdk.Context, _ codec.JSONCodec) json.RawMessage {
	list, err := m.All(ctx)
	if err != nil {
		panic(err)
	}
	raw, err := json.Marshal(append([]Entry{}, list...))
	if err != nil {
		panic(err)
	}
	return raw
}
