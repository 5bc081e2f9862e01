"""The verbs of the command line, one function each: parse, one call, print."""
