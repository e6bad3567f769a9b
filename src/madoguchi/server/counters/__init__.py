"""Sites, terminals, procedures, help lines: the editable data of the counters."""
