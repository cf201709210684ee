"""What tests of more than one folder start, ask and share."""
