"""What the objects of an account teach each other: which curves, and which drifts, are usual.

Every curve of the bank has a likelihood for every object. One object's says little, all together
say a lot: of the account's usual elasticity, of how much its objects differ, of how fast they
drift. The prior of logit(e) is normal with an unknown centre and spread, shared by the account;
both stand on a grid, each point weighted by its own prior times the likelihood of all objects. An
object's probabilities are the mean over that grid. The shares of the drifts and of the families
are learned by a few rounds of EM, against a prior of `_PRIOR_OBJECTS` objects spread evenly.
"""

from __future__ import annotations

import itertools
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from zyenta_ads_pipeline.optimizer.filtering import Bank

Floats: TypeAlias = npt.NDArray[np.float64]

CENTRES = tuple(np.linspace(-0.9, 2.3, 17).tolist())
SPREADS = (0.25, 0.5, 0.8, 1.2)
CENTRE, CENTRE_SPREAD = 0.5, 0.7
"""The centre's own prior: elasticities of accounts between 0.45 and 0.77, two times in three."""
SPREAD_PRIOR = (0.2, 0.3, 0.3, 0.2)

_PRIOR_OBJECTS = 4.0
_ROUNDS = 6
_SAMPLE = 4096
"""Objects that are enough to learn what is usual."""


def probabilities(likelihood: Floats, bank: Bank) -> Floats:
    """(Q, M, N) how probable each drift and curve is for each object; sums to 1 over both.

    `likelihood` (Q, M, N) is logarithmic. Objects without a day get what is usual.
    """
    drifts, curves, count = likelihood.shape
    families = int(bank.family.max()) + 1
    each = curves // families
    logs = likelihood.reshape(drifts * families, each, count)
    relative = np.exp(logs - np.max(logs, axis=(0, 1)))
    shapes = _shapes(bank.u[:each])
    step = max(1, -(-count // _SAMPLE))
    shares, usual = _usual(relative[:, :, ::step], shapes)
    return _posterior(relative, shares, usual, shapes).reshape(drifts, curves, count)


def _shapes(u: Floats) -> Floats:
    """(H, E) normal priors over the grid of elasticities, one row per centre and spread."""
    e = 1 / (1 + np.exp(-u))
    width = np.gradient(e) / (e * (1 - e))
    rows = []
    for centre, spread in itertools.product(CENTRES, SPREADS):
        # A prior narrower than the grid would see its points alone.
        density = np.exp(-0.5 * ((u - centre) / spread) ** 2) * width
        rows.append(density / np.sum(density))
    return np.array(rows)


def _usual(relative: Floats, shapes: Floats) -> tuple[Floats, Floats]:
    """Shares (F,) of the drifts and families, and weights (H,) of the shapes."""
    kinds = relative.shape[0]
    shares = np.full(kinds, 1 / kinds)
    prior = _prior()
    usual = prior
    for _ in range(_ROUNDS):
        mixed = np.tensordot(shares, relative, axes=1)
        told = np.sum(np.log(np.maximum(shapes @ mixed, 1e-300)), axis=1) + np.log(prior)
        usual = np.exp(told - np.max(told))
        usual /= np.sum(usual)
        of_kind = np.sum(_posterior(relative, shares, usual, shapes), axis=1)
        counted = np.sum(of_kind, axis=1) + _PRIOR_OBJECTS / kinds
        shares = counted / np.sum(counted)
    return shares, usual


def _prior() -> Floats:
    centre = np.exp(-0.5 * ((np.array(CENTRES) - CENTRE) / CENTRE_SPREAD) ** 2)
    both = np.outer(centre, SPREAD_PRIOR).ravel()
    result: Floats = both / np.sum(both)
    return result


def _posterior(relative: Floats, shares: Floats, usual: Floats, shapes: Floats) -> Floats:
    """(F, E, N) each object's probabilities, the mean over the account's possible shapes."""
    mixed = np.tensordot(shares, relative, axes=1)
    evidence = np.maximum(shapes @ mixed, 1e-300)
    prior = shapes.T @ (usual[:, np.newaxis] / evidence)
    weight = shares[:, np.newaxis, np.newaxis] * relative * prior
    result: Floats = weight / np.sum(weight, axis=(0, 1))
    return result
