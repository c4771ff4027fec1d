"""Measurements of a classifier, each with what it is computed from."""
