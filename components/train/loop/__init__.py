"""The training loop.

| module | content |
| --- | --- |
| `trainer` | one training with the transformers Trainer |
| `data` | tokenised rows, and the order of batches |
| `callbacks` | between steps: progress, the average of the weights, checkpoints before SIGTERM |
| `checkpoints` | finding and removing checkpoints, and copies in object storage |
"""
