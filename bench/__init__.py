"""`make bench`: how fast Markethall is, next to what PostgreSQL does on the same machine.

One process drives a hall that was started as ``make run`` starts it, over HTTP on loopback, in a
bounded closed loop; ``pgbench`` replays the recorded SQL on the same database, with the same
number of connections, before and after. A benchmark is no test: it fails nothing.
"""
