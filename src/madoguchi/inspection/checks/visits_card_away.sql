-- ja: カードがないまま開いていた
-- en: Open without its card
-- The visit stayed open although its card was not on the reader, longer than a terminal allows.
-- Whoever came next may have used what was still open.
SELECT 'card_away' AS sign, s.visit_id AS seen, s.after_id AS lost, s.visit_id AS got,
       CAST(floor(s.card_away_s / 60) AS BIGINT) AS minutes
  FROM seats s CROSS JOIN limits l
 WHERE s.card_away_s > l.away_s
