"""Where a run is: its stages as they stand, the record of them that it keeps in its store, and what others see of it there."""
