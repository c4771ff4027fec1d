"""The training loop.

| module | content |
| --- | --- |
| `trainer` | one training with the transformers Trainer |
| `data` | tokenised rows, and the order of batches |
| `averaging` | the moving average of the weights |
| `checkpoints` | writing, finding and sealing checkpoints |
| `checkpoint_copies` | copies of checkpoints in object storage |
| `sigterm` | SIGTERM held back until a checkpoint is written |
| `progress` | speed, and log lines |
"""
