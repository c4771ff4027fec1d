"""The artifacts that pass between the steps, one module each: reader, writer and checks."""
