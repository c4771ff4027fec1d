"""Manifests that train on a cluster: a TrainJob or a Katib Experiment."""
