"""A model on new labelled rows."""
