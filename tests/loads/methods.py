"""What is compared in appending, for those who run and those who report."""

SIGNING = "sign"
PLAIN = "plain insert"
LOGGED = "log, integrated every 100 ms"
GROUPED = "log, group commit"
METHODS = (PLAIN, LOGGED, GROUPED)
WRITERS = (1, 8, 64)
