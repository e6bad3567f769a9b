"""Evidence that an outsider can check: canonical JSON, signatures, commitments, sealed payloads."""
