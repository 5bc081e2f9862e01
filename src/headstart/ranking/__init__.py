"""Which base promises most: scores of cached features, arrays in, numbers out."""
