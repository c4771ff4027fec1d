"""The jobs of other systems that the train step starts, and that the exit handler ends.

A kind is its group, version and plural, as the API server's paths have them.
"""

TRAIN_JOBS = ("trainer.kubeflow.org", "v1alpha1", "trainjobs")
EXPERIMENTS = ("kubeflow.org", "v1beta1", "experiments")
WORKFLOW = "workflows.argoproj.io/workflow"
"""Label of a run's pods, and of the jobs that its steps start; its value is the Workflow."""
