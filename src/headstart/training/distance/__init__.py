"""How far data are from what a base was trained on, without having that data: a warning, never the decider."""
