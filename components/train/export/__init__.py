"""From a trained model to a sealed model folder."""
