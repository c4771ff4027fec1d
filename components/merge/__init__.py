"""Real and synthetic rows become one data set with honest splits."""
