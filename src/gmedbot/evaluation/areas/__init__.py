"""One module an area of the evaluation: each turns gold and a bench into items."""
