"""What devices say to the server, and nothing else."""
