"""What is wrong with the data, found before training."""
