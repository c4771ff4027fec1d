"""The gate: what a model must reach to be released."""
