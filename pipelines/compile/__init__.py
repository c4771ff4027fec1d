"""Compiling the pipeline for a cluster."""
