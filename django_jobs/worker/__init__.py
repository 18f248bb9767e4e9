"""The parent of `runworker`: claims jobs, hands them out, settles them. It runs no user code.

1. `worker`   puts the parts together and takes them apart
2. `loop`     the main thread: sockets, signals, clocks, kills; never a database, never blocks
3. `desk`     the one thread with a database connection: renew, ack and claim, duties
4. `handout`  which claimed job is where: in the buffer, in a socket, in a runner (`line`: of one socket)
5. `runners`  who is alive, who is killed and why; `starting` makes them, `posts` says what each is given
6. `nursery`  the process that forks, kills and buries runners
7. `limits`   whose time is up; `verdicts` what a dead runner's job came to
8. `announcing` what receivers of signals are to be told, and `events` the runner that tells them
"""
