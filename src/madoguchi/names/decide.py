"""From likelihoods to calibrated chances and a verdict, compiled. A calibration is made by `calibrate`."""

import math

from madoguchi.names.compiled import compiled

SELF, FAMILY, OLDNAME, OTHER, UNDETERMINED = range(5)
"""Columns of probabilities, and verdicts."""
PRIORS = (0.977, 0.01, 0.003, 0.01)
"""Chances before anything is known of a pair: most accounts are the person's own."""
SURE = 0.95
"""Least chance of SELF for that verdict."""
_NOT_SELF = 0.4
_TINY = 1e-250


@compiled
def _between(odds, knots):
    """Honest log-odds by straight lines between the knots (row 0: the kernel's, row 1: honest), flat outside."""
    if odds <= knots[0, 0]:
        return knots[1, 0]
    for place in range(1, knots.shape[1]):
        if odds <= knots[0, place]:
            share = (odds - knots[0, place - 1]) / (knots[0, place] - knots[0, place - 1])
            return knots[1, place - 1] + share * (knots[1, place] - knots[1, place - 1])
    return knots[1, knots.shape[1] - 1]


@compiled
def decide(likely, knots, chances):
    """Calibrated chances of the hypotheses, and the verdict."""
    rest = 0.0
    for kind in range(FAMILY, 4):
        chances[kind] = max(likely[kind], _TINY) * PRIORS[kind]
        rest += chances[kind]
    honest = _between(math.log(max(likely[SELF] * PRIORS[SELF], _TINY) / rest), knots)
    chances[SELF] = 1.0 / (1.0 + math.exp(-honest))
    verdict = FAMILY
    for kind in range(FAMILY, 4):
        chances[kind] *= (1.0 - chances[SELF]) / rest
        if chances[kind] > chances[verdict]:
            verdict = kind
    if chances[SELF] >= SURE:
        return SELF
    return UNDETERMINED if chances[SELF] > _NOT_SELF else verdict
