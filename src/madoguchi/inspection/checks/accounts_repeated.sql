-- ja: 二人以上に登録された口座
-- en: Accounts registered more than once
-- Finds the account keys that stand on several rows of the register. Why: everybody may register one account of their own,
-- so an account on two people is somebody else's for at least one of them. Source: Digital Agency, inspection of all
-- registered accounts, June 2023, first step. Whether the rows are of different people is counted in accounts_people.
SELECT account
FROM register
WHERE account <> ''
GROUP BY account
HAVING COUNT(*) > 1
