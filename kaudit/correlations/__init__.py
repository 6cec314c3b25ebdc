"""Correlations: one file a kind of chain."""
