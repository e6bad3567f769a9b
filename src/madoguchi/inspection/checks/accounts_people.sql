-- ja: 共有された口座の人
-- en: People on those accounts
-- Finds for every account on several rows each person on it once, with what tells relatives and strangers apart: surname
-- (before the space; the first two characters where there is none), address, counter and day. Why: later steps count
-- people, not rows. An unknown surname or address is nobody else's.
WITH rows_on AS (
  SELECT
    register.account,
    register.person_id,
    register.holder_kana,
    REPLACE(register.kanji, ' ', '　') AS kanji,
    register.address,
    register.place,
    CAST(register.registered_at AS DATE) AS day
  FROM register
  JOIN accounts_repeated ON register.account = accounts_repeated.account
  WHERE register.person_id IS NOT NULL
)
SELECT
  account,
  person_id,
  COALESCE(
    MIN(CASE WHEN POSITION('　' IN kanji) > 1 THEN SPLIT_PART(kanji, '　', 1) ELSE NULLIF(SUBSTR(kanji, 1, 2), '') END),
    person_id
  ) AS surname,
  COALESCE(MIN(NULLIF(address, '')), person_id) AS address,
  COALESCE(MIN(NULLIF(place, '')), person_id) AS place,
  COALESCE(MIN(day), DATE '1900-01-01') AS day,
  MIN(kanji) AS kanji,
  MIN(holder_kana) AS holder_kana
FROM rows_on
GROUP BY account, person_id
