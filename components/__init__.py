"""The steps of the pipeline, one package a step, and the few modules they share."""
