CREATE UNIQUE INDEX entry_of_event ON ledger_entry (event) WHERE event IS NOT NULL;
-- next
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'entry_is_never_changed'); END;
-- next
CREATE TRIGGER position_is_never_changed BEFORE UPDATE ON ledger_position
BEGIN SELECT RAISE(ABORT, 'position_is_never_changed'); END;
-- next
CREATE TRIGGER checkpoint_is_never_changed BEFORE UPDATE ON ledger_checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoint_is_never_changed'); END;
-- next
CREATE TRIGGER stamp_is_never_changed BEFORE UPDATE ON ledger_stamp
BEGIN SELECT RAISE(ABORT, 'stamp_is_never_changed'); END;
-- next
CREATE TRIGGER erasure_is_never_changed BEFORE UPDATE ON ledger_erasure
BEGIN SELECT RAISE(ABORT, 'erasure_is_never_changed'); END;
-- next
CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'entry_is_never_deleted'); END;
-- next
CREATE TRIGGER position_is_never_deleted BEFORE DELETE ON ledger_position
BEGIN SELECT RAISE(ABORT, 'position_is_never_deleted'); END;
-- next
CREATE TRIGGER checkpoint_is_never_deleted BEFORE DELETE ON ledger_checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoint_is_never_deleted'); END;
-- next
CREATE TRIGGER stamp_is_never_deleted BEFORE DELETE ON ledger_stamp
BEGIN SELECT RAISE(ABORT, 'stamp_is_never_deleted'); END;
-- next
CREATE TRIGGER erasure_is_never_deleted BEFORE DELETE ON ledger_erasure
BEGIN SELECT RAISE(ABORT, 'erasure_is_never_deleted'); END;
-- next
CREATE TRIGGER tile_is_never_deleted BEFORE DELETE ON ledger_tile
BEGIN SELECT RAISE(ABORT, 'tile_is_never_deleted'); END;
-- next
CREATE TRIGGER cursor_is_never_deleted BEFORE DELETE ON ledger_cursor
BEGIN SELECT RAISE(ABORT, 'cursor_is_never_deleted'); END;
-- next
-- REPLACE deletes rows without asking the DELETE triggers, so each unique key is asked for before.
CREATE TRIGGER entry_is_never_replaced BEFORE INSERT ON ledger_entry
WHEN EXISTS (SELECT 1 FROM ledger_entry o WHERE o.id = NEW.id)
  OR EXISTS (SELECT 1 FROM ledger_entry o WHERE o.event = NEW.event)
BEGIN SELECT RAISE(ABORT, 'entry_is_never_replaced'); END;
-- next
CREATE TRIGGER position_is_never_replaced BEFORE INSERT ON ledger_position
WHEN EXISTS (SELECT 1 FROM ledger_position o WHERE o.position = NEW.position)
  OR EXISTS (SELECT 1 FROM ledger_position o WHERE o.entry = NEW.entry)
BEGIN SELECT RAISE(ABORT, 'position_is_never_replaced'); END;
-- next
CREATE TRIGGER checkpoint_is_never_replaced BEFORE INSERT ON ledger_checkpoint
WHEN EXISTS (SELECT 1 FROM ledger_checkpoint o WHERE o.size = NEW.size)
BEGIN SELECT RAISE(ABORT, 'checkpoint_is_never_replaced'); END;
-- next
CREATE TRIGGER stamp_is_never_replaced BEFORE INSERT ON ledger_stamp
WHEN EXISTS (SELECT 1 FROM ledger_stamp o WHERE o.id = NEW.id)
  OR EXISTS (SELECT 1 FROM ledger_stamp o WHERE o.checkpoint_id = NEW.checkpoint_id)
BEGIN SELECT RAISE(ABORT, 'stamp_is_never_replaced'); END;
-- next
CREATE TRIGGER erasure_is_never_replaced BEFORE INSERT ON ledger_erasure
WHEN EXISTS (SELECT 1 FROM ledger_erasure o WHERE o.id = NEW.id)
  OR EXISTS (SELECT 1 FROM ledger_erasure o WHERE o.payload = NEW.payload)
BEGIN SELECT RAISE(ABORT, 'erasure_is_never_replaced'); END;
-- next
CREATE TRIGGER tile_is_never_replaced BEFORE INSERT ON ledger_tile
WHEN EXISTS (SELECT 1 FROM ledger_tile o WHERE o.id = NEW.id)
  OR EXISTS (SELECT 1 FROM ledger_tile o WHERE (o.level = NEW.level AND o.number = NEW.number))
BEGIN SELECT RAISE(ABORT, 'tile_is_never_replaced'); END;
-- next
CREATE TRIGGER payload_is_never_replaced BEFORE INSERT ON ledger_payload
WHEN EXISTS (SELECT 1 FROM ledger_payload o WHERE o.id = NEW.id)
  OR EXISTS (SELECT 1 FROM ledger_payload o WHERE o.commitment = NEW.commitment)
BEGIN SELECT RAISE(ABORT, 'payload_is_never_replaced'); END;
-- next
CREATE TRIGGER tile_only_grows BEFORE UPDATE ON ledger_tile
WHEN (NEW.id, NEW.level, NEW.number) IS NOT (OLD.id, OLD.level, OLD.number)
  OR typeof(NEW.hashes) <> 'blob' OR length(NEW.hashes) < length(OLD.hashes)
  OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes
BEGIN SELECT RAISE(ABORT, 'tile_only_grows'); END;
-- next
INSERT INTO ledger_cursor (id, size, floor, xid, entry) VALUES (1, 0, 0, 0, 0);
-- next
CREATE TRIGGER cursor_only_grows BEFORE UPDATE ON ledger_cursor
WHEN NEW.id <> OLD.id OR NEW.size < OLD.size
BEGIN SELECT RAISE(ABORT, 'cursor_only_grows'); END;
-- next
CREATE TRIGGER cursor_is_one BEFORE INSERT ON ledger_cursor
BEGIN SELECT RAISE(ABORT, 'cursor_is_one'); END;
-- next
CREATE TRIGGER payload_only_changes_keys BEFORE UPDATE ON ledger_payload
WHEN (NEW.id, NEW.kind, NEW.visit, NEW.commitment, NEW.sealed, NEW.stored_at, NEW.erase_on)
  IS NOT (OLD.id, OLD.kind, OLD.visit, OLD.commitment, OLD.sealed, OLD.stored_at, OLD.erase_on)
BEGIN SELECT RAISE(ABORT, 'payload_only_changes_keys'); END;
-- next
CREATE TRIGGER payload_leaves_a_trace BEFORE DELETE ON ledger_payload
WHEN NOT EXISTS (SELECT 1 FROM ledger_erasure e WHERE e.payload = OLD.id AND e.commitment = OLD.commitment)
BEGIN SELECT RAISE(ABORT, 'payload_leaves_a_trace'); END;
-- next
-- An id below the cursor would never be given a place.
CREATE TRIGGER entry_comes_last AFTER INSERT ON ledger_entry
WHEN NEW.id <= (SELECT c.entry FROM ledger_cursor c)
BEGIN SELECT RAISE(ABORT, 'entry_comes_last'); END;
