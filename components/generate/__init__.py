"""An LLM writes labelled sentences."""
