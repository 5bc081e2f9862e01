"""Reading sources into tables, auditing and splitting them."""
