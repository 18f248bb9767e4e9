"""`make faults`: every test of faults at its full size, row by row, with a report at any moment."""
