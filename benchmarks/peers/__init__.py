"""Recipes of other libraries as scripts; none of them imports headstart."""
