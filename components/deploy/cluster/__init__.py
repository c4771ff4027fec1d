"""Kubernetes and KServe, as far as deploying needs them."""
