"""How fast is the predictor, against others with the same model? `make bench-serve`."""
