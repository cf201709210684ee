"""How facts are said to people, in sentences and in numbers."""
