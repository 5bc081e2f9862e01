"""Scripts that a benchmark runs in fresh processes; each prints one line of JSON."""
