"""Vectors of inputs."""
