"""Fine-tuning methods: what is trained of which encoder, and how fast."""
