"""Replays of what happened at counters: the same people doing the same, with and without the walls."""
