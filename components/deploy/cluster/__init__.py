"""Kubernetes and KServe, as far as a deploy needs them."""
