"""The command line: one file per command group, each light to import."""
