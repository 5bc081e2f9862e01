"""What to do with data: strategy, cost, and how much more data buys."""
