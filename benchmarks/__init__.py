"""Benchmarks of headstart, against its floor and its peers: ``python -m benchmarks`` lists them."""
