"""What `script/bench evidence` measures: appending to the log, and checking bundles of it."""
