"""Fine-tuning methods.

| module | content |
| --- | --- |
| `base_model` | the pretrained encoder: where it is, and loading it |
| `adapters` | each method's trainable weights, learning rate and precision |
| `declared` | what an encoder's small files say, read without its weights |
| `reading` | what an encoder can read, found out by trying |
| `attachments` | the modules of each architecture that methods attach to |
"""
