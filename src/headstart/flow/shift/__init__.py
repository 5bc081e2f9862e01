"""A model's unlabelled inputs beside those it was fitted on."""
