"""`python -m headstart`, where the console script is not on the path."""

from headstart.cli import run

run()
