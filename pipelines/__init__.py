"""The pipeline: its graph, its parameter sets, and the ways to compile and run it."""
