"""The configuration file that our gunicorns are given, so that they look for no other.

Without one, gunicorn executes a `gunicorn.conf.py` of the folder that it runs in: settings that no
suite asked for and no record shows.
"""

# Here and not on the command line: before 25.1 gunicorn has no such setting, and refuses an unknown
# argument where it passes over an unknown name in this file.
control_socket_disable = True
