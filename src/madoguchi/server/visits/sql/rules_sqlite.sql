CREATE TRIGGER terminal_lease_only_grows BEFORE UPDATE OF lease ON counters_terminal
WHEN NEW.lease < OLD.lease
BEGIN SELECT RAISE(ABORT, 'terminal_lease_only_grows'); END;
-- next
CREATE TRIGGER visit_begins_waiting BEFORE INSERT ON visits_visit
WHEN NEW.state <> 'waiting'
BEGIN SELECT RAISE(ABORT, 'visit_begins_waiting'); END;
-- next
-- REPLACE deletes rows without asking the DELETE triggers, so each unique key is asked for before.
CREATE TRIGGER visit_is_never_replaced BEFORE INSERT ON visits_visit
WHEN EXISTS (SELECT 1 FROM visits_visit v WHERE v.id = NEW.id
  OR (v.site_id = NEW.site_id AND v.day = NEW.day AND v.number = NEW.number))
BEGIN SELECT RAISE(ABORT, 'visit_is_never_replaced'); END;
-- next
CREATE TRIGGER visit_is_never_deleted BEFORE DELETE ON visits_visit
BEGIN SELECT RAISE(ABORT, 'visit_is_never_deleted'); END;
-- next
CREATE TRIGGER visit_final_is_final BEFORE UPDATE ON visits_visit
WHEN OLD.state IN ('closed', 'withdrawn')
BEGIN SELECT RAISE(ABORT, 'visit_final_is_final'); END;
-- next
CREATE TRIGGER visit_follows_the_table BEFORE UPDATE OF state ON visits_visit
WHEN OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
  'waiting>called', 'waiting>withdrawn', 'called>waiting', 'called>withdrawn', 'called>serving', 'called>ending',
  'serving>ending', 'serving>confirming', 'ending>confirming', 'confirming>ending', 'confirming>closed')
BEGIN SELECT RAISE(ABORT, 'visit_follows_the_table'); END;
-- next
CREATE TRIGGER visit_keeps_its_terminal BEFORE UPDATE ON visits_visit
WHEN (NEW.terminal_id IS NOT OLD.terminal_id OR NEW.lease IS NOT OLD.lease)
  AND NOT (OLD.state = 'called' AND NEW.state = 'waiting')
  AND NOT (OLD.state = 'waiting' AND NEW.state = 'called'
    AND NEW.lease = (SELECT lease FROM counters_terminal WHERE id = NEW.terminal_id)
    AND NOT EXISTS (SELECT 1 FROM visits_visit v WHERE v.terminal_id = NEW.terminal_id AND v.id <> NEW.id
      AND (v.lease = NEW.lease OR v.state IN ('called', 'serving', 'ending', 'confirming'))))
BEGIN SELECT RAISE(ABORT, 'visit_keeps_its_terminal'); END;
-- next
CREATE TRIGGER visit_keeps_its_ticket BEFORE UPDATE ON visits_visit
WHEN (NEW.id, NEW.site_id, NEW.day, NEW.number) <> (OLD.id, OLD.site_id, OLD.day, OLD.number)
BEGIN SELECT RAISE(ABORT, 'visit_keeps_its_ticket'); END;
-- next
CREATE TRIGGER visit_keeps_its_card BEFORE UPDATE ON visits_visit
WHEN OLD.card_tag IS NOT NULL AND NEW.card_tag IS NOT OLD.card_tag
BEGIN SELECT RAISE(ABORT, 'visit_keeps_its_card'); END;
-- next
CREATE TRIGGER visit_has_its_chain BEFORE UPDATE OF state ON visits_visit
WHEN OLD.state <> NEW.state AND (
  (NEW.state = 'serving' AND NOT EXISTS (SELECT 1 FROM visits_visitevent e WHERE e.visit_id = NEW.id
    AND e.lease = NEW.lease AND e.kind = 'bind_card'))
  OR (NEW.state = 'ending' AND NOT EXISTS (SELECT 1 FROM visits_visitevent e WHERE e.visit_id = NEW.id
    AND e.lease = NEW.lease AND e.kind = 'end'))
  OR (NEW.state IN ('confirming', 'closed') AND NOT EXISTS (SELECT 1 FROM visits_visitevent e WHERE e.visit_id = NEW.id
    AND e.lease = NEW.lease AND e.kind IN ('wipe_proven', 'attest_wipe')
    AND NOT EXISTS (SELECT 1 FROM visits_visitevent f WHERE f.visit_id = NEW.id AND f.lease = NEW.lease
      AND f.kind = 'wipe_failed' AND f.seq > e.seq)))
  OR (NEW.state = 'closed' AND NOT EXISTS (SELECT 1 FROM visits_visitevent e WHERE e.visit_id = NEW.id
    AND e.lease = NEW.lease AND e.kind = 'confirm')))
BEGIN SELECT RAISE(ABORT, 'visit_has_its_chain'); END;
-- next
CREATE TRIGGER event_of_terminal_has_the_lease BEFORE INSERT ON visits_visitevent
WHEN NEW.by = 'terminal' AND (
  NOT EXISTS (SELECT 1 FROM counters_device d WHERE d.id = NEW.device_id AND d.terminal_id = NEW.terminal_id
    AND d.revoked_at IS NULL)
  OR (NEW.visit_id IS NOT NULL AND (
    NEW.lease IS NOT (SELECT lease FROM counters_terminal WHERE id = NEW.terminal_id)
    OR NOT EXISTS (SELECT 1 FROM visits_visit v WHERE v.id = NEW.visit_id AND v.terminal_id = NEW.terminal_id
      AND v.lease = NEW.lease))))
BEGIN SELECT RAISE(ABORT, 'event_of_terminal_has_the_lease'); END;
-- next
CREATE TRIGGER event_is_never_replaced BEFORE INSERT ON visits_visitevent
WHEN EXISTS (SELECT 1 FROM visits_visitevent e WHERE e.id = NEW.id
  OR (e.visit_id = NEW.visit_id AND e.seq = NEW.seq)
  OR (e.device_id = NEW.device_id AND e.message_id = NEW.message_id))
BEGIN SELECT RAISE(ABORT, 'event_is_never_replaced'); END;
-- next
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON visits_visitevent
BEGIN SELECT RAISE(ABORT, 'event_is_never_changed'); END;
-- next
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON visits_visitevent
BEGIN SELECT RAISE(ABORT, 'event_is_never_deleted'); END;
-- next
CREATE TRIGGER rejected_is_never_replaced BEFORE INSERT ON visits_rejectedmessage
WHEN EXISTS (SELECT 1 FROM visits_rejectedmessage r WHERE r.id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'rejected_is_never_replaced'); END;
-- next
CREATE TRIGGER rejected_is_never_changed BEFORE UPDATE ON visits_rejectedmessage
BEGIN SELECT RAISE(ABORT, 'rejected_is_never_changed'); END;
-- next
CREATE TRIGGER rejected_is_never_deleted BEFORE DELETE ON visits_rejectedmessage
BEGIN SELECT RAISE(ABORT, 'rejected_is_never_deleted'); END;
