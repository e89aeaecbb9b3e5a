"""The built index: passages, vectors, words, claims and findings, published as one unit."""
