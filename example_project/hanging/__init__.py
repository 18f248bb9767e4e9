"""Job functions that hang, each in its own way, so that one can watch them being stopped."""
