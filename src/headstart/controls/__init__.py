"""Controls: models that borrow nothing."""
