"""What the law says: dates, the vocabulary of facts, places, law files."""
