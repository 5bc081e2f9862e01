"""Heads solved on cached features: arrays in, a linear head out."""
