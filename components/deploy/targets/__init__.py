"""Where a model is deployed to."""
