"""Claims: what each source states, how two statements stand to one another, and the findings that follow."""
