"""Real tables, and the systems that each gets them. The systems are modules of one function, imported only where they run.

The folder is not called `tables`: a folder of that name would hide the script, and pandas asks for a package of that name.
"""
