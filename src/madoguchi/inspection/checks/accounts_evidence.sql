-- ja: 氏名照合(全件)
-- en: Name match of every row
-- Gives every row of the register what is known of its account. Why: an account that stands with one person only can be
-- somebody else's too (the owner has registered another since, or never): the chain of June 2023 cannot see those.
SELECT
  register.*,
  COALESCE(accounts_sharing.shared_by, 1) AS shared_by,
  COALESCE(accounts_sharing.strangers, 0) AS strangers,
  COALESCE(accounts_sharing.same_day, 0) AS same_day,
  COALESCE(accounts_sharing.better, 0) AS better
FROM register
LEFT JOIN accounts_sharing
  ON register.account = accounts_sharing.account AND register.person_id = accounts_sharing.person_id
