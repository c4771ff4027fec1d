"""The model is put behind an inference endpoint and checked there."""
