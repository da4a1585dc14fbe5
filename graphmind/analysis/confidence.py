"""How likely the named cause is the right one."""

import numpy as np

# Logistic fit of "the named cause is the right one" on 1,986 reports of planted windows of 1 k to
# 150 k traces (one in six without the kind of a true cause, half of the larger sampled), for causes
# of one and of two items: constant, and slope of the log odds of the posterior.
CONFIDENCE = {1: (-4.755, 0.878), 2: (2.496, 0.210)}
POSTERIOR_MARGIN = 1e-4


def confidence(posterior: float, *, items: int) -> float:
    """Probability that the named cause is right."""
    posterior = min(max(posterior, POSTERIOR_MARGIN), 1 - POSTERIOR_MARGIN)
    constant, slope = CONFIDENCE[items]
    score = constant + slope * np.log(posterior / (1 - posterior))
    return float(1 / (1 + np.exp(-score)))
