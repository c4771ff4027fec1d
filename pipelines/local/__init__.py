"""Running the pipeline on this machine."""
