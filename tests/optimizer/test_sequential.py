"""Bounds that hold at all looks together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.sequential import (
    bound_of,
    evidence_reach,
    log_evidence,
    log_evidence_of_fall,
    normal_of_t,
    t_of_normal,
)


@pytest.mark.parametrize("alpha", [0.2, 0.1, 0.05, 0.01, 0.001])
def test_the_bound_follows_from_the_reflection_principle(alpha: float) -> None:
    reach = bound_of(alpha)
    ladder = [(-1) ** k * (1 - stats.norm.cdf((2 * k + 1) * reach)) for k in range(6)]
    assert 4 * sum(ladder) == pytest.approx(alpha, rel=1e-6)


def test_a_random_walk_leaves_the_bound_as_often_as_it_says() -> None:
    steps = np.random.default_rng(1).normal(size=(4000, 672)) / np.sqrt(672)
    left = (np.abs(steps.cumsum(axis=1)) >= bound_of(0.05)).any(axis=1).mean()
    assert 0.03 < left < 0.056


@pytest.mark.parametrize("freedom", [3.5, 8.0, 30.0])
def test_a_t_is_as_rare_as_its_normal_deviate(freedom: float) -> None:
    values = np.linspace(-6, 6, 25)
    exact = stats.norm.ppf(stats.t.cdf(values, freedom))
    ours = normal_of_t(values, np.asarray(freedom))
    assert np.max(np.abs(ours - exact)) < 0.06
    back = t_of_normal(ours, np.asarray(freedom))
    np.testing.assert_allclose(back, values, rtol=1e-9, atol=1e-12)


def test_a_deviate_no_t_reaches_is_infinite() -> None:
    assert np.isinf(t_of_normal(np.asarray(80.0), np.asarray(3.0)))


def test_evidence_reaches_its_threshold_where_it_says() -> None:
    variance = np.array([1e-4, 0.01, 0.3])
    reach = evidence_reach(variance, 0.25, 0.05)
    np.testing.assert_allclose(log_evidence(reach, variance, 0.25), np.log(20), rtol=1e-9)


def test_evidence_of_a_fall_counts_falls_alone() -> None:
    variance = np.array([0.01, 0.01, 0.01])
    falls = log_evidence_of_fall(np.array([-0.4, 0.0, 0.4]), variance, 0.5)
    both = log_evidence(np.array([-0.4, 0.0, 0.4]), variance, 0.5)
    assert falls[0] == pytest.approx(both[0] + np.log(2), abs=1e-3)
    assert falls[1] == pytest.approx(both[1])
    assert falls[2] < both[2] - 5


def test_evidence_of_a_fall_is_finite_far_out() -> None:
    far = log_evidence_of_fall(np.array([-30.0, 30.0]), np.array([1e-3, 1e-3]), 0.5)
    assert np.isfinite(far).all()


def test_evidence_averages_one_where_there_is_nothing() -> None:
    variance = 0.04
    drawn = np.random.default_rng(2).normal(0, np.sqrt(variance), 200_000)
    for evidence in (log_evidence, log_evidence_of_fall):
        mean = np.exp(evidence(drawn, np.full(drawn.size, variance), 0.2)).mean()
        assert mean == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, -0.1])
def test_an_error_rate_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(InputError, match="probability of error"):
        bound_of(alpha)
