"""The training loop.

| module | content |
| --- | --- |
| `trainer` | one training with the transformers Trainer |
| `data` | tokenised rows, and the order of batches |
| `callbacks` | between steps: progress, and the average of the weights |
| `checkpointing` | between steps: when to write a checkpoint |
| `checkpoints` | finding and removing checkpoints |
| `copies` | their copies in object storage |
| `sigterm` | SIGTERM, deferred until a checkpoint is written |
"""
