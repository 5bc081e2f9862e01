"""Which bases are likely to do well."""
