"""Fine-tuning methods.

| module | content |
| --- | --- |
| `base_model` | the pretrained encoder: where it is, and loading it |
| `adapters` | each method's trainable weights, added to the encoder |
| `attachments` | the modules of each architecture that methods attach to |
| `learning_rates` | each method's default learning rate, and the optimiser of `lora+` |
"""
