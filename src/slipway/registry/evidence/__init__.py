"""The evidence of a version: its test rows, its bundle for the gates, and stored models scored anew."""
