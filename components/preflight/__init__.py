"""What a run will need is tried before any work is spent."""
