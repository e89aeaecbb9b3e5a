"""From ranked evidence to an answer in which every sentence is a quote of the corpus."""
