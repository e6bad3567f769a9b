-- ja: 消去の証明も確認もなく、次の人が座った
-- en: Ended without proof or confirmation, and followed
-- Ended without proof of the wipe or confirmation of the log-out, and somebody else came to the same seat.
-- The next person's registration may have landed on this person's card.
-- A confirmation by the citizen counts where nothing is known of the wipe; where the wipe is known to have failed to be
-- proven, it makes the case weaker. Where neither is recorded, only visits that were not completed are shown: an
-- interrupted procedure is what leaves a screen logged in. The same card again at once is the same person.
SELECT CASE WHEN s.confirmation IN ('none', 'absent') OR (s.confirmation IS NULL AND s.proof = FALSE)
            THEN 'unproven_missing'
            WHEN s.proof = FALSE THEN 'unproven_signed'
            ELSE 'unproven_unknown' END AS sign,
       s.visit_id AS seen,
       s.after_id AS lost,
       s.visit_id AS got,
       CASE WHEN s.exact AND s.after_exact
            THEN CAST(floor((s.after_start_s - coalesce(s.end_s, s.start_s)) / 60) AS BIGINT) END AS minutes
  FROM seats s CROSS JOIN limits l
 WHERE s.after_start_s - coalesce(s.end_s, s.start_s) <= l.followed_s
   AND (s.card_tag IS NULL OR s.after_tag IS NULL OR s.card_tag <> s.after_tag)
   AND coalesce(s.proof, FALSE) = FALSE
   AND (s.proof = FALSE
        OR s.confirmation IN ('none', 'absent')
        OR (s.confirmation IS NULL AND coalesce(s.outcome, '') <> 'completed'))
