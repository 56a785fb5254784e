-- +goose Up
-- Runs on SQLite and on PostgreSQL. Columns that hold amounts are BIGINT, the amount
-- less 2^63 (doc.go); times are Unix nanoseconds where not said otherwise.

-- One row: which chain, and how far.
CREATE TABLE chain (
  one BIGINT PRIMARY KEY,
  chain_id TEXT NOT NULL,
  first_height BIGINT NOT NULL,
  first_hash BYTEA NOT NULL,
  height BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  time BIGINT NOT NULL,
  issued BIGINT NOT NULL,
  burned BIGINT NOT NULL,
  recycled BIGINT NOT NULL,
  supply BIGINT NOT NULL
);

CREATE TABLE accounts (
  id BIGINT PRIMARY KEY,
  address TEXT NOT NULL UNIQUE,
  balance BIGINT NOT NULL,
  module BIGINT NOT NULL -- 1: a module's: what it is paid is no income
);

CREATE TABLE blocks (
  height BIGINT PRIMARY KEY,
  time BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  proposer BYTEA NOT NULL,
  txs BIGINT NOT NULL
);

CREATE TABLE txs (
  height BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  code BIGINT NOT NULL,
  codespace TEXT NOT NULL,
  log TEXT NOT NULL,      -- empty where it took effect
  fee BIGINT NOT NULL,
  gas_wanted BIGINT NOT NULL,
  gas_used BIGINT NOT NULL,
  signers TEXT NOT NULL,  -- separated by spaces
  types TEXT NOT NULL,    -- of messages, separated by spaces
  raw BYTEA NOT NULL,     -- as in the block
  PRIMARY KEY (height, idx)
);
CREATE INDEX txs_hash ON txs (hash);

CREATE TABLE account_txs (
  account BIGINT NOT NULL,
  height BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  PRIMARY KEY (account, height, idx)
);

CREATE TABLE transfers (
  height BIGINT NOT NULL,
  n BIGINT NOT NULL,      -- counts within the block
  idx BIGINT NOT NULL,    -- of the transaction; -1 and 1000000: the block's own
  sender BIGINT NOT NULL,
  recipient BIGINT NOT NULL,
  rao BIGINT NOT NULL,
  PRIMARY KEY (height, n)
);

-- What changed an account's TAO, a row a transaction or a block; modules have none.
CREATE TABLE ledger (
  account BIGINT NOT NULL,
  height BIGINT NOT NULL,
  idx BIGINT NOT NULL,    -- -1: the block's beginning, 1000000: its end
  received BIGINT NOT NULL,
  spent BIGINT NOT NULL,  -- with the fee
  fee BIGINT NOT NULL,
  label TEXT NOT NULL,
  other BIGINT NOT NULL,  -- account on the other side; 0: none, or several
  PRIMARY KEY (account, height, idx)
);

CREATE TABLE trades (
  height BIGINT NOT NULL,
  n BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  subnet BIGINT NOT NULL,
  account BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  purchase BIGINT NOT NULL,
  kind TEXT NOT NULL,
  tao BIGINT NOT NULL,
  alpha BIGINT NOT NULL,
  fee BIGINT NOT NULL,
  PRIMARY KEY (height, n)
);
CREATE INDEX trades_subnet ON trades (subnet, height, n);
CREATE INDEX trades_account ON trades (account, height, n);

CREATE TABLE subnets (
  id BIGINT PRIMARY KEY,
  netuid BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  url TEXT NOT NULL,
  parameters TEXT NOT NULL,
  owner_hotkey BIGINT NOT NULL,
  owner_coldkey BIGINT NOT NULL,
  lock_rao BIGINT NOT NULL,
  created_height BIGINT NOT NULL,
  created_time BIGINT NOT NULL,
  started_height BIGINT NOT NULL, -- 0: not yet
  removed_height BIGINT NOT NULL, -- 0: it is there
  hyper TEXT NOT NULL,            -- JSON
  burn BIGINT NOT NULL,           -- price of a registration
  moving_price TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  epoch_height BIGINT NOT NULL,
  epoch_due BIGINT NOT NULL,
  neurons BIGINT NOT NULL,
  trading BIGINT NOT NULL,
  tao BIGINT NOT NULL,
  reserve BIGINT NOT NULL,
  issued BIGINT NOT NULL,
  staked BIGINT NOT NULL,
  protocol BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  burned BIGINT NOT NULL,
  emission_tao BIGINT NOT NULL,   -- rao ever given to the pool
  revenue BIGINT NOT NULL,        -- rao ever paid by customers
  pot BIGINT NOT NULL,            -- of a removed one
  pot_total BIGINT NOT NULL,
  pot_paid BIGINT NOT NULL,
  pot_recycled BIGINT NOT NULL
);

CREATE TABLE hyperparameters (
  subnet BIGINT NOT NULL,
  name TEXT NOT NULL,
  height BIGINT NOT NULL,
  n BIGINT NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (subnet, name, height, n)
);

CREATE TABLE neurons (
  subnet BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  registered_height BIGINT NOT NULL,
  registered_time BIGINT NOT NULL,
  endpoints TEXT NOT NULL,         -- separated by spaces
  protocol TEXT NOT NULL,
  protocol_version TEXT NOT NULL,
  served_height BIGINT NOT NULL,
  PRIMARY KEY (subnet, uid)
);
CREATE INDEX neurons_hotkey ON neurons (hotkey);

CREATE TABLE weights (
  subnet BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  height BIGINT NOT NULL,          -- at which it took force
  entries BYTEA NOT NULL,          -- u16 uid, u16 value, big-endian
  PRIMARY KEY (subnet, uid)
);

CREATE TABLE registrations (
  height BIGINT NOT NULL,
  n BIGINT NOT NULL,
  subnet BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  coldkey BIGINT NOT NULL,
  burn BIGINT NOT NULL,
  alpha BIGINT NOT NULL,
  replaced BIGINT NOT NULL,        -- hotkey; 0: the uid was free
  epoch BIGINT NOT NULL,           -- the subnet's last before it
  PRIMARY KEY (height, n)
);
CREATE INDEX registrations_subnet ON registrations (subnet, height, n);
CREATE INDEX registrations_hotkey ON registrations (hotkey, height, n);
CREATE INDEX registrations_coldkey ON registrations (coldkey, height, n);
CREATE INDEX registrations_uid ON registrations (subnet, uid, height, n);

CREATE TABLE hotkeys (
  hotkey BIGINT PRIMARY KEY,
  coldkey BIGINT NOT NULL,
  take BIGINT NOT NULL,            -- per 10^6; -1: never set
  destination BIGINT NOT NULL,     -- 0: itself
  bound_height BIGINT NOT NULL
);
CREATE INDEX hotkeys_coldkey ON hotkeys (coldkey);

CREATE TABLE stake_pools (
  subnet BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  alpha BIGINT NOT NULL,
  shares TEXT NOT NULL,
  PRIMARY KEY (subnet, hotkey)
);

CREATE TABLE positions (
  subnet BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  coldkey BIGINT NOT NULL,
  shares TEXT NOT NULL,
  locked BIGINT NOT NULL,
  -- since the day's beginning (UTC):
  day_alpha BIGINT NOT NULL,       -- its value then
  day_in BIGINT NOT NULL,          -- bought, or moved here
  day_out BIGINT NOT NULL,
  day_paid BIGINT NOT NULL,        -- paid by epochs beside dividends
  PRIMARY KEY (subnet, hotkey, coldkey)
);
CREATE INDEX positions_coldkey ON positions (coldkey);

-- A stake at the end of a day in which it changed.
CREATE TABLE position_days (
  coldkey BIGINT NOT NULL,
  day BIGINT NOT NULL,             -- Unix days
  subnet BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  height BIGINT NOT NULL,          -- last block of the day
  alpha BIGINT NOT NULL,
  alpha_in BIGINT NOT NULL,
  alpha_out BIGINT NOT NULL,
  paid BIGINT NOT NULL,
  dividends BIGINT NOT NULL,
  value BIGINT NOT NULL,           -- rao
  PRIMARY KEY (coldkey, day, subnet, hotkey)
);

-- Growth of a share's value, in buckets of 6 hours.
CREATE TABLE yields (
  subnet BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  bucket BIGINT NOT NULL,
  epochs BIGINT NOT NULL,
  growth DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (subnet, hotkey, bucket)
);

CREATE TABLE candles (
  subnet BIGINT NOT NULL,
  span BIGINT NOT NULL,            -- seconds
  start BIGINT NOT NULL,           -- Unix seconds
  open DOUBLE PRECISION NOT NULL,
  high DOUBLE PRECISION NOT NULL,
  low DOUBLE PRECISION NOT NULL,
  close DOUBLE PRECISION NOT NULL,
  volume BIGINT NOT NULL,
  trades BIGINT NOT NULL,
  revenue BIGINT NOT NULL,
  tao BIGINT NOT NULL,             -- reserves at its end
  reserve BIGINT NOT NULL,
  PRIMARY KEY (subnet, span, start)
);

CREATE TABLE epochs (
  subnet BIGINT NOT NULL,
  number BIGINT NOT NULL,
  height BIGINT NOT NULL,
  time BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  pending BIGINT NOT NULL,
  paid BIGINT NOT NULL,
  owner BIGINT NOT NULL,
  revenue BIGINT NOT NULL,
  burned BIGINT NOT NULL,
  recycled BIGINT NOT NULL,
  carried BIGINT NOT NULL,
  root_paid BIGINT NOT NULL,
  price DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (subnet, number)
);
CREATE INDEX epochs_time ON epochs (subnet, time);
CREATE INDEX epochs_height ON epochs (subnet, height);

-- What epochs gave by uid (blob.go): the latest, a row an epoch; older ones, a row for
-- 128 epochs of a uid.
CREATE TABLE epoch_blobs (
  subnet BIGINT NOT NULL,
  number BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (subnet, number)
);
CREATE TABLE epoch_chunks (
  subnet BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  chunk BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (subnet, uid, chunk)
);

CREATE TABLE supply (
  hour BIGINT PRIMARY KEY,         -- Unix seconds of its beginning
  height BIGINT NOT NULL,          -- its last block
  issued BIGINT NOT NULL,
  burned BIGINT NOT NULL,
  recycled BIGINT NOT NULL,
  supply BIGINT NOT NULL
);

CREATE TABLE services (
  id BIGINT PRIMARY KEY,
  subnet BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  name TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  unit TEXT NOT NULL,
  price BIGINT NOT NULL,
  per BIGINT NOT NULL,
  description TEXT NOT NULL,
  terms TEXT NOT NULL,
  listed BIGINT NOT NULL,
  height BIGINT NOT NULL,
  revenue BIGINT NOT NULL
);
CREATE TABLE plans (
  id BIGINT PRIMARY KEY,
  service BIGINT NOT NULL,
  name TEXT NOT NULL,
  price BIGINT NOT NULL,
  period BIGINT NOT NULL,
  quota BIGINT NOT NULL,
  offered BIGINT NOT NULL
);
CREATE TABLE channels (
  id TEXT PRIMARY KEY,
  payer BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  service BIGINT NOT NULL,
  plan BIGINT NOT NULL,
  deposit BIGINT NOT NULL,
  claimed BIGINT NOT NULL,
  opened_height BIGINT NOT NULL,
  closed_height BIGINT NOT NULL
);
CREATE INDEX channels_payer ON channels (payer);

-- What customers and removals paid, and owners' cuts.
CREATE TABLE payments (
  account BIGINT NOT NULL,
  height BIGINT NOT NULL,
  n BIGINT NOT NULL,
  kind TEXT NOT NULL,              -- sale, owner, payout
  subnet BIGINT NOT NULL,
  hotkey BIGINT NOT NULL,
  rao BIGINT NOT NULL,
  alpha BIGINT NOT NULL,
  epoch BIGINT NOT NULL,           -- -1: it was none
  value BIGINT NOT NULL,           -- of the alpha, in rao
  PRIMARY KEY (account, height, n)
);

-- +goose Down
