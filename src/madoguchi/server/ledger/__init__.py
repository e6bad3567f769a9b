"""The evidence of the office: entries, log, payloads, retention, export. The one place that keeps `evidence`."""
