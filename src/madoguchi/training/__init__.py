"""The training counter: server, national sites and one terminal on loopback, started and stopped together."""
