"""What passes between the steps, one module per artifact, with its reader, writer and checks."""
