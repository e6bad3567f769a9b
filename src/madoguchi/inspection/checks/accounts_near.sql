-- ja: 別人の名義の人と、同じ窓口で前後一時間に登録した人
-- en: Who registered at the same counter within an hour of somebody with a stranger's account
-- Finds for everybody whose account is in somebody else's name (verdict OTHER) all who registered at the same counter an hour
-- before or after. Why: a registration lands on the card of the person before or after at the terminal; whom the name fits,
-- the account can belong to. Source: the incident of a city, May 2023; one hour is the idle time-out of the national site.
SELECT
  accounts_judged.person_id,
  accounts_judged.account,
  accounts_judged.holder_kana,
  register.person_id AS near_id,
  register.kanji
FROM accounts_judged
JOIN register
  ON accounts_judged.place = register.place
  AND register.registered_at BETWEEN accounts_judged.registered_at - INTERVAL '1' HOUR
    AND accounts_judged.registered_at + INTERVAL '1' HOUR
WHERE accounts_judged.rest_bin IS NULL
  AND accounts_judged.verdict = 'OTHER'
  AND accounts_judged.person_id <> register.person_id
