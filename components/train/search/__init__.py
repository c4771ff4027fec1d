"""Hyperparameter search for the train step: one search space, on one machine or on a cluster."""
