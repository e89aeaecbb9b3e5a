"""Reading, cleaning, checking and adding the source files."""
