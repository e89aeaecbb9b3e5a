"""What other programs and later days need: the HTTP API, votes and unanswered questions, exports that can be verified."""
