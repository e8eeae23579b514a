"""Sweeps over the catalogue: what holds for every operation."""
