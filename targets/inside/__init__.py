"""Looks at an app from inside, without a server: is run by the app's own interpreter, in the app's directory.

Stands alone: this folder is copied under a name of its own beside an app, in whose environment only the
standard library is sure to be there (Python 3.11 or newer). ``python -m NAME.inside JOB``: JOB is a file with
JSON (`harness.doctor.inside` writes it), and what was seen is written as JSON into the file that it names as
``report``. The app is asked several times.

Instants are CLOCK_MONOTONIC ns.
"""
