-- ja: 同じ端末で一分以内に二人の登録
-- en: Two people's registrations within a minute
-- Two people's registrations at one seat within a minute: nobody logs out, calls the next and registers in that time.
-- The later visit's registration may have landed on the earlier visitor's card.
WITH told AS (
  SELECT s.visit_id, s.seat, s.place, s.card_tag, s.registered_s,
         lag(s.visit_id)     OVER r AS other_id,
         lag(s.place)        OVER r AS other_place,
         lag(s.card_tag)     OVER r AS other_tag,
         lag(s.registered_s) OVER r AS other_s
    FROM seats s
  WINDOW r AS (PARTITION BY s.seat ORDER BY s.registered_s, s.place)
)
SELECT 'same_minute' AS sign,
       CASE WHEN t.place > t.other_place THEN t.visit_id ELSE t.other_id END AS seen,
       CASE WHEN t.place > t.other_place THEN t.visit_id ELSE t.other_id END AS lost,
       CASE WHEN t.place > t.other_place THEN t.other_id ELSE t.visit_id END AS got,
       CAST(NULL AS BIGINT) AS minutes
  FROM told t CROSS JOIN limits l
 WHERE t.registered_s - t.other_s < l.minute_s
   AND (t.card_tag IS NULL OR t.other_tag IS NULL OR t.card_tag <> t.other_tag)
