-- ja: 2023年6月の点検の手順で残る人
-- en: Left by the national chain of June 2023
-- Finds who shares with a stranger and whose name is not the account's: several people, differing surname and address, then
-- name match. Why: the three steps as taken nationally (Digital Agency, June 2023), to compare with the match of all rows.
SELECT person_id, account
FROM accounts_judged
WHERE rest_bin IS NULL AND strangers > 0 AND verdict <> 'SELF'
