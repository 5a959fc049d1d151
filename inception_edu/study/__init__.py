"""Experiments: configurations, runs, sweeps, their results and statistics."""
