"""Distributions that tests install: what others add to headstart from outside."""
