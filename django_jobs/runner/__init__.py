"""The child process that runs user code: takes one job at a time, runs it, reports its outcome.

1. `birth`   makes a fresh process a runner: own session, dies with its maker, deaf to TERM and INT
2. `serve`   one `turn` after the other: takes an assignment, notes it on the slip, sends its report
3. `execute` runs one job: pure, an assignment in, an outcome out
4. `interrupts` raises in the job's code what the parent has ordered
5. `blame`   turns an exception into an error report
6. `hygiene` and `surroundings` let each attempt start clean: connections, and the process itself
7. `memory`  measures the runner and limits what a job may take
8. `wear`    tells when a runner has run enough and is to be replaced
9. `deliver` tells receivers of signals what was written, in a runner that runs no job
10. `seats`  several jobs at once, each in a `seat` and stopped by itself (`seat_interrupts`); the `door` says
   who reads. Coroutines run (`loop_run`) on one loop (`coroutines`), which reads for itself (`loop_reader`)
"""
