"""The evaluation as people read it: report page and model card."""
