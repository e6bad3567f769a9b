-- ja: 「登録済み」と断られた
-- en: Refused as already registered
-- The national site refused: "already registered".
-- Somebody who was here before under the same card: what stands there may be the registration of the person who came
-- next after that earlier visit; where that was completed or wiped with proof, it is likelier the own one. Somebody who
-- is new: what was to be registered may stand on the card of the person before.
-- Somebody who comes directly after an own visit is refused for what that visit registered: no sign.
-- Without card tags nobody knows which of the two it is: then both are shown, the second for everybody who had left
-- without completing at the same site (`refused_candidate`).
WITH refused AS (
  SELECT s.*,
         coalesce(s.start_s - coalesce(p.end_s, p.start_s) <= l.followed_s
                  AND (p.card_tag IS NULL OR s.card_tag IS NULL OR p.card_tag <> s.card_tag), FALSE) AS followed,
         coalesce(p.proof, FALSE) AS before_proven
    FROM seats s CROSS JOIN limits l
    LEFT JOIN seats p ON p.visit_id = s.before_id
   WHERE concat(',', s.refusals, ',') LIKE '%,already_registered,%'
), earlier AS (
  SELECT r.visit_id AS refused_id, x.visit_id, x.after_id, x.after_tag, x.card_tag,
         coalesce(x.proof, FALSE) OR coalesce(x.outcome, '') = 'completed' AS expected,
         row_number() OVER (PARTITION BY r.visit_id ORDER BY x.start_s DESC, x.line DESC) AS latest
    FROM refused r
    JOIN seats x ON x.card_tag = r.card_tag
                AND (x.start_s < r.start_s OR (x.start_s = r.start_s AND x.line < r.line))
                AND coalesce(x.procedure, coalesce(r.procedure, '')) = coalesce(r.procedure, coalesce(x.procedure, ''))
   CROSS JOIN limits l
   WHERE r.start_s - x.start_s <= l.return_s
)
SELECT CASE WHEN e.expected THEN 'refused_again' ELSE 'refused_returned' END AS sign, e.refused_id AS seen, e.after_id AS lost, e.visit_id AS got,
       CAST(NULL AS BIGINT) AS minutes
  FROM earlier e
 WHERE e.latest = 1 AND e.after_id IS NOT NULL
   AND (e.after_tag IS NULL OR e.after_tag <> e.card_tag)
UNION ALL
SELECT CASE WHEN NOT r.followed THEN 'refused_alone'
            WHEN r.before_proven THEN 'refused_after_proof'
            WHEN r.card_tag IS NULL THEN 'refused_untagged'
            ELSE 'refused_first' END AS sign,
       r.visit_id AS seen, r.visit_id AS lost,
       CASE WHEN r.followed THEN r.before_id END AS got, CAST(NULL AS BIGINT) AS minutes
  FROM refused r
 WHERE NOT EXISTS (SELECT 1 FROM earlier e
                    WHERE e.refused_id = r.visit_id AND e.latest = 1 AND e.after_id IS NOT NULL)
UNION ALL
SELECT 'refused_candidate' AS sign, r.visit_id AS seen, x.after_id AS lost, x.visit_id AS got,
       CAST(NULL AS BIGINT) AS minutes
  FROM refused r CROSS JOIN limits l
  JOIN seats x ON coalesce(x.site, '') = coalesce(r.site, '')
              AND coalesce(x.procedure, '') = coalesce(r.procedure, '')
              AND r.start_s - x.start_s <= l.return_s
 WHERE r.card_tag IS NULL AND x.card_tag IS NULL
   AND x.visit_id <> r.visit_id AND x.after_id <> r.visit_id
   AND x.after_start_s <= r.start_s
   AND x.outcome IN ('interrupted', 'abandoned')
   AND coalesce(x.proof, FALSE) = FALSE
   AND x.after_start_s - coalesce(x.end_s, x.start_s) <= l.followed_s
