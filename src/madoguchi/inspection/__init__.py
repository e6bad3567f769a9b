"""Inspection of whole registers: which accounts need a person's look, and how many looks find the wrong ones."""
