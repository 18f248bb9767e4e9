"""Named points in the product at which a process ends at once or loses its connection, in tests alone.

1. `points`    which there are, and what is wrapped for them; a point that is gone from the product fails here
2. `table`     what each of them must end in, written down before
3. `processes` workers and clients, forked from one process that has everything loaded
4. `scenes`    what a worker is given to do so that it comes by a point
5. `clients`   what programs and people do that come by one

A new verb gets a point, a row of the table and a scene or a deed; a test refuses one without the others.
"""
