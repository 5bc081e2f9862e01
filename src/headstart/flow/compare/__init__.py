"""Runs on the same test rows."""
