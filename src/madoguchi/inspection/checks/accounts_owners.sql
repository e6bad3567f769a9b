-- ja: 名義がその窓口の前後の人と合う口座
-- en: Accounts whose holder's name fits somebody near at the same counter
-- Finds whom of accounts_near the holder's name fits best, if it fits (chance of SELF at least limits.sure: what the name
-- match's verdict SELF takes). Why: this names the second person of an incident. Source: this project.
SELECT person_id, account, near_id
FROM (
  SELECT person_id, account, near_id, ROW_NUMBER() OVER (PARTITION BY person_id, account ORDER BY fits DESC, near_id) AS place
  FROM accounts_near_fitted
  CROSS JOIN limits
  WHERE fits >= limits.sure
) AS fitting
WHERE place = 1
