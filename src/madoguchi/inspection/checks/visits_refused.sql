-- ja: 「登録済み」と断られた
-- en: Refused as already registered
-- The national site refused: "already registered".
-- Somebody who was here before under the same card: what stands there may be the registration of the person who came
-- next after that earlier visit. Somebody who is new: what was to be registered may stand on the card of the person before.
WITH refused AS (
  SELECT s.* FROM seats s
   WHERE concat(',', s.refusals, ',') LIKE '%,already_registered,%'
), earlier AS (
  SELECT r.visit_id AS refused_id, x.visit_id, x.after_id, x.after_tag, x.card_tag,
         row_number() OVER (PARTITION BY r.visit_id ORDER BY x.start_s DESC, x.line DESC) AS latest
    FROM refused r
    JOIN seats x ON x.card_tag = r.card_tag AND x.visit_id <> r.visit_id
                AND (x.start_s < r.start_s OR (x.start_s = r.start_s AND x.line < r.line))
                AND coalesce(x.procedure, coalesce(r.procedure, '')) = coalesce(r.procedure, coalesce(x.procedure, ''))
   CROSS JOIN limits l
   WHERE r.start_s - x.start_s <= l.return_s
)
SELECT 'refused_returned' AS sign, e.refused_id AS seen, e.after_id AS lost, e.visit_id AS got,
       CAST(NULL AS BIGINT) AS minutes
  FROM earlier e
 WHERE e.latest = 1 AND e.after_id IS NOT NULL AND e.after_id <> e.refused_id
   AND (e.after_tag IS NULL OR e.after_tag <> e.card_tag)
UNION ALL
SELECT CASE WHEN p.proof THEN 'refused_after_proof' ELSE 'refused_first' END AS sign,
       r.visit_id AS seen, r.visit_id AS lost, r.before_id AS got, CAST(NULL AS BIGINT) AS minutes
  FROM refused r
  LEFT JOIN seats p ON p.visit_id = r.before_id
 WHERE (r.before_tag IS NULL OR r.card_tag IS NULL OR r.before_tag <> r.card_tag)
   AND NOT EXISTS (SELECT 1 FROM earlier e WHERE e.refused_id = r.visit_id)
