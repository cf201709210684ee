"""One file a use-case; each reads as the recipe of it."""
