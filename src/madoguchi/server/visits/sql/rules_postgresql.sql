CREATE FUNCTION madoguchi_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '%', TG_NAME USING ERRCODE = 'check_violation';
END $body$;
-- next
CREATE TRIGGER terminal_lease_only_grows BEFORE UPDATE OF lease ON counters_terminal
FOR EACH ROW WHEN (NEW.lease < OLD.lease) EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER visit_begins_waiting BEFORE INSERT ON visits_visit
FOR EACH ROW WHEN (NEW.state <> 'waiting') EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER visit_is_never_deleted BEFORE DELETE ON visits_visit
FOR EACH ROW EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER visit_is_never_truncated BEFORE TRUNCATE ON visits_visit
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER visit_final_is_final BEFORE UPDATE ON visits_visit
FOR EACH ROW WHEN (OLD.state IN ('closed', 'withdrawn')) EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER visit_follows_the_table BEFORE UPDATE OF state ON visits_visit
FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
  'waiting>called', 'waiting>withdrawn', 'called>waiting', 'called>withdrawn', 'called>serving', 'called>ending',
  'serving>ending', 'serving>confirming', 'ending>confirming', 'confirming>ending', 'confirming>closed'))
EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE FUNCTION madoguchi_visit_keeps_its_terminal() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE standing bigint;
BEGIN
  IF OLD.state = 'called' AND NEW.state = 'waiting' THEN RETURN NEW; END IF;
  IF OLD.state = 'waiting' AND NEW.state = 'called' THEN
    SELECT lease INTO standing FROM counters_terminal WHERE id = NEW.terminal_id FOR SHARE;
    IF standing = NEW.lease THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION '%', TG_NAME USING ERRCODE = 'check_violation';
END $body$;
-- next
CREATE TRIGGER visit_keeps_its_terminal BEFORE UPDATE ON visits_visit
FOR EACH ROW WHEN (NEW.terminal_id IS DISTINCT FROM OLD.terminal_id OR NEW.lease IS DISTINCT FROM OLD.lease)
EXECUTE FUNCTION madoguchi_visit_keeps_its_terminal();
-- next
CREATE TRIGGER visit_keeps_its_ticket BEFORE UPDATE ON visits_visit
FOR EACH ROW WHEN ((NEW.id, NEW.site_id, NEW.day, NEW.number) IS DISTINCT FROM
  (OLD.id, OLD.site_id, OLD.day, OLD.number))
EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER visit_keeps_its_card BEFORE UPDATE ON visits_visit
FOR EACH ROW WHEN (OLD.card_tag IS NOT NULL AND NEW.card_tag IS DISTINCT FROM OLD.card_tag)
EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE FUNCTION madoguchi_visit_has_its_chain() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE kinds text[]; wiped boolean;
BEGIN
  SELECT array_agg(e.kind) INTO kinds FROM visits_visitevent e WHERE e.visit_id = NEW.id AND e.lease = NEW.lease;
  kinds := coalesce(kinds, ARRAY[]::text[]);
  -- A proof counts until a later wipe has failed.
  SELECT e.kind <> 'wipe_failed' INTO wiped FROM visits_visitevent e WHERE e.visit_id = NEW.id
    AND e.lease = NEW.lease AND e.kind IN ('wipe_proven', 'attest_wipe', 'wipe_failed') ORDER BY e.seq DESC LIMIT 1;
  IF (NEW.state = 'serving' AND NOT 'bind_card' = ANY (kinds))
    OR (NEW.state = 'ending' AND NOT 'end' = ANY (kinds))
    OR (NEW.state IN ('confirming', 'closed') AND NOT coalesce(wiped, false))
    OR (NEW.state = 'closed' AND NOT 'confirm' = ANY (kinds))
  THEN
    RAISE EXCEPTION '%', TG_NAME USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $body$;
-- next
CREATE TRIGGER visit_has_its_chain BEFORE UPDATE OF state ON visits_visit
FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION madoguchi_visit_has_its_chain();
-- next
CREATE FUNCTION madoguchi_event_of_terminal_has_the_lease() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE standing bigint;
BEGIN
  -- FOR SHARE: a call that is granting the next lease at this moment has to finish first, and is then seen here.
  SELECT lease INTO standing FROM counters_terminal WHERE id = NEW.terminal_id FOR SHARE;
  IF NOT EXISTS (SELECT 1 FROM counters_device d WHERE d.id = NEW.device_id AND d.terminal_id = NEW.terminal_id
      AND d.revoked_at IS NULL)
    OR (NEW.visit_id IS NOT NULL AND (NEW.lease IS DISTINCT FROM standing
      OR NOT EXISTS (SELECT 1 FROM visits_visit v WHERE v.id = NEW.visit_id AND v.terminal_id = NEW.terminal_id
        AND v.lease = NEW.lease)))
  THEN
    RAISE EXCEPTION '%', TG_NAME USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $body$;
-- next
CREATE TRIGGER event_of_terminal_has_the_lease BEFORE INSERT ON visits_visitevent
FOR EACH ROW WHEN (NEW.by = 'terminal') EXECUTE FUNCTION madoguchi_event_of_terminal_has_the_lease();
-- next
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON visits_visitevent
FOR EACH ROW EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON visits_visitevent
FOR EACH ROW EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER event_is_never_truncated BEFORE TRUNCATE ON visits_visitevent
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER rejected_is_never_changed BEFORE UPDATE ON visits_rejectedmessage
FOR EACH ROW EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER rejected_is_never_deleted BEFORE DELETE ON visits_rejectedmessage
FOR EACH ROW EXECUTE FUNCTION madoguchi_refuse();
-- next
CREATE TRIGGER rejected_is_never_truncated BEFORE TRUNCATE ON visits_rejectedmessage
FOR EACH STATEMENT EXECUTE FUNCTION madoguchi_refuse();
