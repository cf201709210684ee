"""`slipway doctor`: what is wrong with an installation, and whether a problem is ready to be released."""
