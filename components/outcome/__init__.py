"""How a run ended is recorded and told."""
