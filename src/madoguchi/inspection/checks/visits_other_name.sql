-- ja: 最後の画面に別の人の名前
-- en: Another's name on the last screen
-- The citizen said that the last screen showed another person's name: what was registered stands there.
-- The person before at the same seat is the first to ask.
SELECT 'other_name' AS sign, s.visit_id AS seen, s.visit_id AS lost, s.before_id AS got,
       CAST(NULL AS BIGINT) AS minutes
  FROM seats s
 WHERE s.own_name = 'other'
