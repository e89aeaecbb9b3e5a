"""Files that were fitted or trained by the programs in ``training/``."""
