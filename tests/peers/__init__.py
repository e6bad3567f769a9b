"""What counters without a box do between two visitors, and the trials that they and the box are put to."""
