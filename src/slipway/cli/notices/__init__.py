"""The commands on notices."""
