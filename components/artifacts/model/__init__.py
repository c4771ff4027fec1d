"""The model folder that train writes and evaluate, deploy and serve read."""
