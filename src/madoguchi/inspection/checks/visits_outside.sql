-- ja: 登録の時刻が本人の対応時間の外
-- en: Registered outside of one's own turn
-- A registration whose time lies outside of the visit's own time at the seat.
-- Within another's turn: it was made while that person was logged in. Within nobody's turn: the one who sat there last
-- before that moment may still have been logged in.
WITH outside AS (
  SELECT s.* FROM seats s CROSS JOIN limits l
   WHERE s.exact
     AND (s.registered_s < s.start_s - l.margin_s OR s.registered_s > s.end_s + l.margin_s)
), sat AS (
  SELECT o.visit_id AS seen, w.visit_id AS other,
         CASE WHEN o.registered_s BETWEEN w.start_s AND coalesce(w.end_s, w.start_s) THEN 1 ELSE 0 END AS during,
         row_number() OVER (PARTITION BY o.visit_id ORDER BY w.start_s DESC, w.place DESC) AS latest
    FROM outside o
    JOIN seats w ON w.seat = o.seat AND w.visit_id <> o.visit_id
                AND w.start_s <= o.registered_s
                AND (w.card_tag IS NULL OR o.card_tag IS NULL OR w.card_tag <> o.card_tag)
   CROSS JOIN limits l
   WHERE o.registered_s - w.start_s <= l.followed_s
)
SELECT CASE WHEN t.during = 1 THEN 'outside_in_anothers' ELSE 'outside_in_nobodys' END AS sign,
       o.visit_id AS seen, o.visit_id AS lost, t.other AS got, CAST(NULL AS BIGINT) AS minutes
  FROM outside o
  LEFT JOIN sat t ON t.seen = o.visit_id AND t.latest = 1
