"""From a question to passages: what is asked, and where it is answered."""
