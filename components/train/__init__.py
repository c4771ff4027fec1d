"""A small encoder is fine-tuned with a PEFT method and exported."""
