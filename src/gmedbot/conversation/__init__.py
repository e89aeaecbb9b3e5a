"""The conversation around a question: follow-ups, scope, safety."""
