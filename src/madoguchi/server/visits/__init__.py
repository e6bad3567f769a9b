"""From the ticket to the closing: reception, calling, confirming, the record."""
