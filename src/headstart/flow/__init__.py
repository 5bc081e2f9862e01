"""The steps of a run between opening a source and handing over, in the order of `headstart.flow.fit.fit`."""
