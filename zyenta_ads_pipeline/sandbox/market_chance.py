"""The market's chance: drawn from the seed and a name, so that nothing drawn is ever stored.

A name stands for what is drawn (an object, an hour, a sale), so that one draw never moves another:
two markets of one seed that differ in a budget differ in what follows from it alone.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np

_MANY = 100.0
"""A mean from which on a Poisson count is drawn as a rounded normal one."""


def chance_of(seed: int, name: str, number: int) -> np.random.Generator:
    """A generator of that name and number alone; the same in every process."""
    return np.random.Generator(np.random.Philox(key=_digest(seed, name, number)))


def count_of(seed: int, name: str, number: int, mean: float) -> int:
    """A Poisson count of that name and number: one luck, whatever the mean it is drawn for."""
    share = (_digest(seed, name, number) + 0.5) / 2.0**128
    if mean > _MANY:
        drawn = mean + math.sqrt(mean) * NormalDist().inv_cdf(min(max(share, 1e-12), 1 - 1e-12))
        return max(round(drawn), 0)
    count, term = 0, math.exp(-mean)
    reached = term
    while reached < share and term > 0:
        count += 1
        term *= mean / count
        reached += term
    return count


@lru_cache(maxsize=4096)
def wobble(seed: int, name: str, number: int, sigma: float) -> float:
    """A lognormal factor of that name and day, 1 in the mean; `sigma` is the log's deviation."""
    drawn = chance_of(seed, f"day:{name}", number).standard_normal()
    return float(np.exp(sigma * drawn - sigma * sigma / 2))


def _digest(seed: int, name: str, number: int) -> int:
    digest = hashlib.blake2b(f"{seed}:{name}:{number}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "big")
