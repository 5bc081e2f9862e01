"""What is wrong with data, before a run."""
