"""Simulated national systems for training, replay and tests. Nothing here talks to a real service.

Pure objects (`world.Nation` and what it holds) carry the rules; `web` is a thin HTTP shell over them.
Every made-up name is marked 架空.
"""
