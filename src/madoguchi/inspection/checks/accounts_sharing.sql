-- ja: 口座が複数の人に登録されている人
-- en: People whose account stands with several people
-- Finds everybody who shares an account, and counts with how many people (shared_by), how many of the others have neither
-- surname nor address in common (strangers), how many of those registered at the same counter on the same day
-- (same_day), how many of the others the holder's name fits better (better). Why: families share accounts within a home or a name; strangers share one when somebody's registration has
-- landed on the card of the person before. Source: Digital Agency, June 2023: several people, then differing surname and
-- address; same counter and day: the incident of a city, May 2023. Counted by inclusion and exclusion, not by pairs: an
-- account on many people stays cheap.
WITH counted AS (
  SELECT
    account,
    person_id,
    COUNT(*) OVER (PARTITION BY account) AS shared_by,
    COUNT(*) OVER (PARTITION BY account, surname)
      + COUNT(*) OVER (PARTITION BY account, address)
      - COUNT(*) OVER (PARTITION BY account, surname, address) AS kin,
    COUNT(*) OVER (PARTITION BY account, place, day) AS here,
    COUNT(*) OVER (PARTITION BY account, place, day, surname)
      + COUNT(*) OVER (PARTITION BY account, place, day, address)
      - COUNT(*) OVER (PARTITION BY account, place, day, surname, address) AS kin_here,
    RANK() OVER (PARTITION BY account ORDER BY fits DESC) - 1 AS better
  FROM accounts_fitted
)
SELECT account, person_id, shared_by, shared_by - kin AS strangers, here - kin_here AS same_day, better
FROM counted
WHERE shared_by > 1
