"""The feature cache and, later, the training engine."""
