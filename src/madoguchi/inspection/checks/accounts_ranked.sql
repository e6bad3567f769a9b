-- ja: 所見(誤りの見込みの順)
-- en: Findings, ranked by the chance of being wrong
-- Ranks the findings. Why: a person looks from the top and stops where it no longer pays. Equal chances are put in the order
-- of the other columns, so that every engine gives the same ranks.
SELECT
  CAST(
    ROW_NUMBER() OVER (
      ORDER BY
        p_wrong DESC, person_id NULLS LAST, account NULLS LAST, registered_at NULLS LAST, holder_kana NULLS LAST,
        kanji NULLS LAST, place NULLS LAST
    ) AS BIGINT
  ) AS rank,
  *
FROM accounts_found
