-- ja: 姓も住所も違う人と口座を共有している人
-- en: Of these, people who share with somebody of another surname and another address
-- Finds what was left nationally before the names were compared by eye. Why and source: see accounts_sharing.
SELECT account, person_id, strangers, same_day
FROM accounts_sharing
WHERE strangers > 0
