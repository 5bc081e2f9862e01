"""Pre-trained bases: catalogue, loading, provenance, runtimes."""
