-- ja: 所見にならなかった行
-- en: Rows that became no finding
-- Counts the rows below the limit of findings by how likely they are wrong (rest_wrong: sum of chances in 10^-12). Why: what
-- is not looked at is part of how many a person must look at to find 99 % of the wrong ones.
SELECT rest_bin, CAST(SUM(rest_rows) AS BIGINT) AS rest_rows, CAST(SUM(rest_wrong) AS BIGINT) AS rest_wrong
FROM accounts_judged
WHERE rest_bin IS NOT NULL
GROUP BY rest_bin
