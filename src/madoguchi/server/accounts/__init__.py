"""Staff: logins, roles, what they may do."""
