"""What is handed over: bundle, predictions."""
