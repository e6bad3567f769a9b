-- ja: 同じ端末の前後の人
-- en: Neighbours at the same terminal
-- Every visit with its neighbours at the same seat, in the order in which people sat there.
-- A visit without any time has no neighbours and is left out. Without a terminal the site stands for the seat.
SELECT v.*,
       lag(v.visit_id)  OVER w AS before_id,
       lag(v.card_tag)  OVER w AS before_tag,
       lead(v.visit_id) OVER w AS after_id,
       lead(v.card_tag) OVER w AS after_tag,
       lead(v.start_s)  OVER w AS after_start_s,
       lead(v.exact)    OVER w AS after_exact,
       row_number()     OVER w AS place
  FROM visits v
 WHERE v.start_s IS NOT NULL
WINDOW w AS (PARTITION BY v.seat ORDER BY v.start_s, coalesce(v.lease, 0), v.line)
