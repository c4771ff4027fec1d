"""The exported model is measured, compared and judged by a gate."""
