"""A run, from opening the source to writing its folder."""
