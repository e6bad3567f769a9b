-- ja: 同じカードが数日のうちに再び来た
-- en: The same card came back within days
-- The same card came back within days for the same procedure.
-- The earlier visit was not completed and its wipe is not proven: whoever sat there next may have registered on this card.
-- The earlier visit was said to be completed: its registration may stand on the card of whoever sat there before.
WITH again AS (
  SELECT s.*,
         lag(s.visit_id) OVER t AS earlier_id,
         s.start_s - lag(s.start_s) OVER t AS after_s
    FROM seats s
   WHERE s.card_tag IS NOT NULL
  WINDOW t AS (PARTITION BY s.card_tag, s.procedure ORDER BY s.start_s, s.line)
), pairs AS (
  SELECT a.visit_id AS seen, a.after_s, x.*
    FROM again a
    JOIN seats x ON x.visit_id = a.earlier_id
   CROSS JOIN limits l
   WHERE a.after_s <= l.return_s
)
SELECT 'returned_interrupted' AS sign, x.seen, x.after_id AS lost, x.visit_id AS got, CAST(NULL AS BIGINT) AS minutes
  FROM pairs x CROSS JOIN limits l
 WHERE x.outcome IN ('interrupted', 'abandoned')
   AND coalesce(x.proof, FALSE) = FALSE
   AND (x.after_tag IS NULL OR x.after_tag <> x.card_tag)
   AND x.after_start_s - coalesce(x.end_s, x.start_s) <= l.followed_s
UNION ALL
SELECT 'returned_completed' AS sign, x.seen, x.visit_id AS lost, x.before_id AS got, CAST(NULL AS BIGINT) AS minutes
  FROM pairs x
  JOIN seats p ON p.visit_id = x.before_id
 CROSS JOIN limits l
 WHERE coalesce(x.outcome, 'completed') = 'completed'
   AND coalesce(p.proof, FALSE) = FALSE
   AND (p.card_tag IS NULL OR p.card_tag <> x.card_tag)
   AND x.start_s - coalesce(p.end_s, p.start_s) <= l.followed_s
