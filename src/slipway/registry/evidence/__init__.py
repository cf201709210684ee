"""The evidence of a version: the rows that it was tested on, its bundle for the gates, and stored models scored anew."""
