"""The targets of a deploy: a file, this machine, or a cluster with KServe."""
