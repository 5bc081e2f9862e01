"""Arrays in, (name, value) out; no torch."""
