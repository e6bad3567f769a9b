"""The counter's office: reception, calling, confirmation and the record of every visit (Django)."""
