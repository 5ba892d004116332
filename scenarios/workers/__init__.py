"""A load of several processes, on one machine or on many: Locust's master and workers, and exact records.

`master` conducts a trial across workers, `worker` is one of them. Only the transport, the heartbeats and the
users are Locust's; what is asked and what was seen travels in messages of our own (`messages`).
"""
