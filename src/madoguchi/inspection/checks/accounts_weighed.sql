-- ja: 前後の人を加えた見込み
-- en: Findings weighed with who was near
-- Gives every finding with the person near whom its holder's name fits. Why: see accounts_near. Source: this project.
SELECT accounts_judged.*, accounts_owners.near_id
FROM accounts_judged
LEFT JOIN accounts_owners
  ON accounts_judged.person_id = accounts_owners.person_id AND accounts_judged.account = accounts_owners.account
WHERE accounts_judged.rest_bin IS NULL
