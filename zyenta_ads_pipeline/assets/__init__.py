"""Dagster assets, one module a group. Thin: read, call, write, attach metadata."""

import warnings

import dagster as dg

# Backfill policies are marked beta; the pinned version has them as they are used here.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
