"""Strategies: how much of a base to adapt, as data for one engine; and the ladder that climbs them."""
