CREATE FUNCTION madoguchi_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '%', TG_NAME USING ERRCODE = 'check_violation';
END $body$;
-- next
-- The transaction that wrote the row: ids become visible in another order than they are drawn in.
ALTER TABLE ledger_entry ADD COLUMN xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
-- next
CREATE INDEX entry_of_transaction ON ledger_entry (xid, id);
-- next
-- Whose transaction numbers the cursor speaks of: a restored dump may bring those of another cluster.
ALTER TABLE ledger_cursor ADD COLUMN cluster bigint NOT NULL DEFAULT 0;
-- next
CREATE UNIQUE INDEX entry_of_event ON ledger_entry (event) WHERE event IS NOT NULL;
-- next
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER position_is_never_changed BEFORE UPDATE ON ledger_position
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER checkpoint_is_never_changed BEFORE UPDATE ON ledger_checkpoint
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER stamp_is_never_changed BEFORE UPDATE ON ledger_stamp
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER erasure_is_never_changed BEFORE UPDATE ON ledger_erasure
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER position_is_never_deleted BEFORE DELETE ON ledger_position
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER checkpoint_is_never_deleted BEFORE DELETE ON ledger_checkpoint
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER stamp_is_never_deleted BEFORE DELETE ON ledger_stamp
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER erasure_is_never_deleted BEFORE DELETE ON ledger_erasure
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER tile_is_never_deleted BEFORE DELETE ON ledger_tile
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER cursor_is_never_deleted BEFORE DELETE ON ledger_cursor
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER entry_is_never_truncated BEFORE TRUNCATE ON ledger_entry
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER position_is_never_truncated BEFORE TRUNCATE ON ledger_position
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER checkpoint_is_never_truncated BEFORE TRUNCATE ON ledger_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER stamp_is_never_truncated BEFORE TRUNCATE ON ledger_stamp
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER erasure_is_never_truncated BEFORE TRUNCATE ON ledger_erasure
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER tile_is_never_truncated BEFORE TRUNCATE ON ledger_tile
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER cursor_is_never_truncated BEFORE TRUNCATE ON ledger_cursor
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER payload_is_never_truncated BEFORE TRUNCATE ON ledger_payload
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER tile_only_grows BEFORE UPDATE ON ledger_tile
FOR EACH ROW WHEN ((NEW.id, NEW.level, NEW.number) IS DISTINCT FROM (OLD.id, OLD.level, OLD.number)
  OR length(NEW.hashes) < length(OLD.hashes) OR substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) <> OLD.hashes)
EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
INSERT INTO ledger_cursor (id, size, floor, xid, entry, cluster)
SELECT 1, 0, 0, 0, 0, system_identifier FROM pg_control_system();
-- next
CREATE TRIGGER cursor_only_grows BEFORE UPDATE ON ledger_cursor
FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.size < OLD.size) EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER cursor_is_one BEFORE INSERT ON ledger_cursor
FOR EACH ROW EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE TRIGGER payload_only_changes_keys BEFORE UPDATE ON ledger_payload
FOR EACH ROW WHEN ((NEW.id, NEW.kind, NEW.visit, NEW.commitment, NEW.sealed, NEW.stored_at, NEW.erase_on)
  IS DISTINCT FROM (OLD.id, OLD.kind, OLD.visit, OLD.commitment, OLD.sealed, OLD.stored_at, OLD.erase_on))
EXECUTE FUNCTION madoguchi_ledger_refuse();
-- next
CREATE FUNCTION madoguchi_payload_leaves_a_trace() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM ledger_erasure e WHERE e.payload = OLD.id AND e.commitment = OLD.commitment) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '%', TG_NAME USING ERRCODE = 'check_violation';
END $body$;
-- next
CREATE TRIGGER payload_leaves_a_trace BEFORE DELETE ON ledger_payload
FOR EACH ROW EXECUTE FUNCTION madoguchi_payload_leaves_a_trace();
-- next
CREATE TRIGGER entry_names_its_transaction BEFORE INSERT ON ledger_entry
FOR EACH ROW WHEN (NEW.xid <> pg_current_xact_id()::text::bigint) EXECUTE FUNCTION madoguchi_ledger_refuse();
