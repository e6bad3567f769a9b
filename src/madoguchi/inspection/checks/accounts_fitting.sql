-- ja: 共有された口座の氏名照合
-- en: Name match of the people on those accounts
-- Gives everybody on an account that stands on several rows to the names room, which adds the chance that
-- the holder's name is that person's (fits). Why: where the name fits one of them better, it is the others who are wrong. Source: this project.
SELECT account, person_id, surname, address, place, day, kanji, holder_kana
FROM accounts_people
