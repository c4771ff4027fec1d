"""The training loop: data, steps, checkpoints, progress."""
