"""The embedded sample: sentences written for this project, and their splits."""
