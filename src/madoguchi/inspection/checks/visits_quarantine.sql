-- ja: 使用停止のまま次の人が座った
-- en: Followed while the terminal was quarantined
-- The wipe failed, and the next person sat down before the terminal was released again.
SELECT 'quarantine_skipped' AS sign, s.visit_id AS seen, s.after_id AS lost, s.visit_id AS got,
       CASE WHEN s.exact AND s.after_exact
            THEN CAST(floor((s.after_start_s - s.wipe_failed_s) / 60) AS BIGINT) END AS minutes
  FROM seats s
 WHERE s.wipe_failed_s IS NOT NULL
   AND s.after_id IS NOT NULL
   AND (s.released_s IS NULL OR s.after_start_s < s.released_s)
