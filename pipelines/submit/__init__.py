"""Running the pipeline on Kubeflow."""
