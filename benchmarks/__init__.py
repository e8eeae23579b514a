"""Measurements of what Guildhall costs, reported as ratios."""
