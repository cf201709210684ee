"""What stands in front of the tracking server's app: origins, login, limits of bodies, time and connections."""
