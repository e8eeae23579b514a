"""Everyday requests to the assistant, run on the simulated Discord with a model of one's own: ``make tasks``."""
