-- +goose Up
-- A history is read by the ledger's rows: one of nothing (an amount of 0 is -2^63) where
-- an account traded and no TAO of its own moved, since another paid the fee.
INSERT INTO ledger (account, height, idx, received, spent, fee, label, other)
SELECT DISTINCT t.account, t.height, t.idx, -9223372036854775807 - 1, -9223372036854775807 - 1, -9223372036854775807 - 1, '', 0
FROM trades t
WHERE t.account > 0 AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.account = t.account AND l.height = t.height AND l.idx = t.idx);

-- Income is told by who had a uid: from here on that is the new coldkey where one was
-- swapped before. When it was is not known any more.
INSERT INTO registrations (height, n, subnet, uid, hotkey, coldkey, burn, alpha, replaced, epoch)
SELECT c.height, 1000000 + ROW_NUMBER() OVER (ORDER BY u.subnet, u.uid), u.subnet, u.uid, u.hotkey, h.coldkey,
  -9223372036854775807 - 1, -9223372036854775807 - 1, u.hotkey, s.epoch
FROM chain c, neurons u JOIN subnets s ON s.id = u.subnet JOIN hotkeys h ON h.hotkey = u.hotkey
WHERE s.removed_height = 0 AND h.coldkey <> (
  SELECT r.coldkey FROM registrations r WHERE r.subnet = u.subnet AND r.uid = u.uid ORDER BY r.height DESC, r.n DESC LIMIT 1);

-- +goose Down
