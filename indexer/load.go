package indexer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"
)

func newState() *state {
	s := &state{
		accounts: map[string]*account{}, hotkeys: map[uint64]*hotkey{}, subnets: map[uint64]*subnet{},
		services: map[uint64]*service{}, plans: map[uint64]*plan{}, channels: map[string]*channel{}, batch: newBatch(),
	}
	s.batch.before = -1
	return s
}

// load reads the state at the cursor; with height 0 where nothing is indexed.
func (s *Store) load(ctx context.Context) (*state, error) {
	tx, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // nothing was written
	st := newState()
	for _, part := range []func(context.Context, *sql.Tx, *state) error{
		s.loadChain, s.loadAccounts, s.loadHotkeys, s.loadSubnets, s.loadNeurons, s.loadStakes, s.loadSeries, s.loadMarket,
	} {
		if err := part(ctx, tx, st); err != nil {
			return nil, fmt.Errorf("index %s can't be read: %w", s.name, err)
		}
		if st.chainID == "" {
			return st, nil
		}
	}
	return st, nil
}

// snapshot is a transaction that sees the database as of one moment.
func (s *Store) snapshot(ctx context.Context) (*sql.Tx, error) {
	o := &sql.TxOptions{ReadOnly: true}
	if s.postgres {
		o.Isolation = sql.LevelRepeatableRead
	}
	return s.read.BeginTx(ctx, o)
}

// each calls f with every row of a query.
func each(ctx context.Context, tx *sql.Tx, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *Store) loadChain(ctx context.Context, tx *sql.Tx, st *state) error {
	var nanos int64
	err := tx.QueryRowContext(ctx, "SELECT chain_id, first_height, first_hash, height, hash, time, issued, burned, recycled, supply FROM chain").
		Scan(&st.chainID, &st.firstHeight, &st.firstHash, &st.height, &st.hash, &nanos,
			(*stored)(&st.issued), (*stored)(&st.burned), (*stored)(&st.recycled), (*stored)(&st.bank))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	st.time = time.Unix(0, nanos).UTC()
	st.rolled = st.time.Unix() / 86_400
	st.batch.before = st.height
	h := &st.supply
	return tx.QueryRowContext(ctx, "SELECT hour, height, issued, burned, recycled, supply FROM supply ORDER BY hour DESC LIMIT 1").
		Scan(&h.hour, &h.height, (*stored)(&h.issued), (*stored)(&h.burned), (*stored)(&h.recycled), (*stored)(&h.bank))
}

func (s *Store) loadAccounts(ctx context.Context, tx *sql.Tx, st *state) error {
	return each(ctx, tx, "SELECT id, address, balance, module FROM accounts ORDER BY id", nil, func(scan func(...any) error) error {
		a := &account{}
		if err := scan(&a.id, &a.address, (*stored)(&a.balance), &a.module); err != nil {
			return err
		}
		st.byID = append(st.byID, a)
		if a.id != uint64(len(st.byID)) {
			return fmt.Errorf("account %d is missing", len(st.byID))
		}
		st.accounts[a.address] = a
		return nil
	})
}

func (s *Store) loadHotkeys(ctx context.Context, tx *sql.Tx, st *state) error {
	return each(ctx, tx, "SELECT hotkey, coldkey, take, destination, bound_height FROM hotkeys", nil, func(scan func(...any) error) error {
		h := &hotkey{}
		err := scan(&h.id, &h.coldkey, &h.take, &h.destination, &h.bound)
		st.hotkeys[h.id] = h
		return err
	})
}

func (s *Store) loadSubnets(ctx context.Context, tx *sql.Tx, st *state) error {
	return each(ctx, tx, `SELECT id, netuid, name, description, url, parameters, owner_hotkey, owner_coldkey, lock_rao, created_height, created_time,
		started_height, removed_height, hyper, burn, moving_price, epoch, epoch_height, epoch_due, trading, tao, reserve, issued, staked, protocol,
		pending, burned, emission_tao, revenue, pot, pot_total, pot_paid, pot_recycled FROM subnets ORDER BY id`, nil, func(scan func(...any) error) error {
		n := &subnet{}
		var hyper string
		err := scan(&n.id, &n.netuid, &n.name, &n.description, &n.url, &n.parameters, &n.ownerHotkey, &n.ownerColdkey, (*stored)(&n.lock), &n.createdHeight, &n.createdTime,
			&n.started, &n.removed, &hyper, (*stored)(&n.burn), &n.movingPrice, &n.epoch, &n.epochHeight, &n.epochDue, &n.trading,
			(*stored)(&n.tao), (*stored)(&n.reserve), (*stored)(&n.issued), (*stored)(&n.staked), (*stored)(&n.protocol),
			(*stored)(&n.pending), (*stored)(&n.burned), (*stored)(&n.emission), (*stored)(&n.revenue),
			(*stored)(&n.pot), (*stored)(&n.potTotal), (*stored)(&n.potPaid), (*stored)(&n.potRecycled))
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(hyper), &n.hyper); err != nil {
			return err
		}
		st.addSubnet(n)
		n.dirty = false
		return nil
	})
}

func (s *Store) loadNeurons(ctx context.Context, tx *sql.Tx, st *state) error {
	return each(ctx, tx, "SELECT subnet, uid, hotkey, registered_height, registered_time, endpoints, protocol, protocol_version, served_height FROM neurons ORDER BY subnet, uid", nil,
		func(scan func(...any) error) error {
			one := &neuron{}
			var id uint64
			var uid int
			if err := scan(&id, &uid, &one.hotkey, &one.height, &one.time, &one.endpoints, &one.protocol, &one.version, &one.served); err != nil {
				return err
			}
			n := st.subnets[id]
			if n == nil || uid != len(n.neurons) {
				return fmt.Errorf("neuron %d of subnet id %d has no place", uid, id)
			}
			n.neurons = append(n.neurons, one)
			return nil
		})
}

func (s *Store) loadStakes(ctx context.Context, tx *sql.Tx, st *state) error {
	poolOf := func(id, hotkey uint64) (*stakePool, error) {
		n := st.subnets[id]
		if n == nil {
			return nil, fmt.Errorf("a stake is in subnet id %d, which is not there", id)
		}
		return n.pool(hotkey), nil
	}
	err := each(ctx, tx, "SELECT subnet, hotkey, alpha, shares FROM stake_pools", nil, func(scan func(...any) error) error {
		var id, hotkey, alpha uint64
		var shares string
		if err := scan(&id, &hotkey, (*stored)(&alpha), &shares); err != nil {
			return err
		}
		p, err := poolOf(id, hotkey)
		if err != nil {
			return err
		}
		p.alpha, p.stored = alpha, true
		return setShares(p.shares, shares)
	})
	if err != nil {
		return err
	}
	return each(ctx, tx, "SELECT subnet, hotkey, coldkey, shares, locked, day_alpha, day_in, day_out, day_paid FROM positions", nil, func(scan func(...any) error) error {
		at := &position{shares: new(big.Int), stored: true}
		var id, hotkey uint64
		var shares string
		err := scan(&id, &hotkey, &at.coldkey, &shares, (*stored)(&at.locked), (*stored)(&at.day), (*stored)(&at.in), (*stored)(&at.out), (*stored)(&at.paid))
		if err != nil {
			return err
		}
		if at.pool, err = poolOf(id, hotkey); err != nil {
			return err
		}
		at.pool.positions[at.coldkey] = at
		return setShares(at.shares, shares)
	})
}

func setShares(n *big.Int, text string) error {
	if _, ok := n.SetString(text, 10); !ok || n.Sign() < 0 {
		return fmt.Errorf("shares %.40q are no number", text)
	}
	return nil
}

// loadSeries reads what candles, yields and epochs go on from.
func (s *Store) loadSeries(ctx context.Context, tx *sql.Tx, st *state) error {
	for i, span := range spans {
		query := s.q(`SELECT subnet, start, open, high, low, close, volume, trades, revenue, tao, reserve FROM candles c
			WHERE span = ? AND start = (SELECT MAX(start) FROM candles d WHERE d.subnet = c.subnet AND d.span = c.span)`)
		err := each(ctx, tx, query, []any{span}, func(scan func(...any) error) error {
			var id uint64
			var c candle
			err := scan(&id, &c.start, &c.open, &c.high, &c.low, &c.close, (*stored)(&c.volume), &c.trades, (*stored)(&c.revenue), (*stored)(&c.tao), (*stored)(&c.reserve))
			if n := st.subnets[id]; n != nil {
				n.candles[i] = c
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	bucket := st.time.Unix() / growthSpan
	err := each(ctx, tx, s.q("SELECT subnet, hotkey, epochs, growth FROM yields WHERE bucket = ?"), []any{bucket}, func(scan func(...any) error) error {
		var id, hotkey uint64
		g := &growth{bucket: bucket}
		err := scan(&id, &hotkey, &g.epochs, &g.sum)
		if n := st.subnets[id]; n != nil {
			n.growth[hotkey] = g
		}
		return err
	})
	if err != nil {
		return err
	}
	return each(ctx, tx, "SELECT subnet, number, data FROM epoch_blobs", nil, func(scan func(...any) error) error {
		var id, number uint64
		var data []byte
		err := scan(&id, &number, &data)
		if n := st.subnets[id]; n != nil {
			n.recent[number] = data
		}
		return err
	})
}

func (s *Store) loadMarket(ctx context.Context, tx *sql.Tx, st *state) error {
	err := each(ctx, tx, "SELECT id, subnet, hotkey, uid, name, endpoint, unit, price, per, description, terms, listed, height, revenue FROM services", nil, func(scan func(...any) error) error {
		v := &service{}
		err := scan(&v.id, &v.subnet, &v.hotkey, &v.uid, &v.name, &v.endpoint, &v.unit, (*stored)(&v.price), (*stored)(&v.per), &v.description, &v.terms, &v.listed, &v.height, (*stored)(&v.revenue))
		st.services[v.id] = v
		return err
	})
	if err != nil {
		return err
	}
	err = each(ctx, tx, "SELECT id, service, name, price, period, quota, offered FROM plans", nil, func(scan func(...any) error) error {
		p := &plan{}
		err := scan(&p.id, &p.service, &p.name, (*stored)(&p.price), &p.period, (*stored)(&p.quota), &p.offered)
		st.plans[p.id] = p
		return err
	})
	if err != nil {
		return err
	}
	return each(ctx, tx, "SELECT id, payer, hotkey, service, plan, deposit, claimed, opened_height, closed_height FROM channels", nil, func(scan func(...any) error) error {
		c := &channel{}
		err := scan(&c.id, &c.payer, &c.hotkey, &c.service, &c.plan, (*stored)(&c.deposit), (*stored)(&c.claimed), &c.opened, &c.closed)
		st.channels[c.id] = c
		return err
	})
}
