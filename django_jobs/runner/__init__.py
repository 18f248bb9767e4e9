"""The child process that runs user code: takes one job at a time, runs it, reports its outcome.

1. `birth`   makes a fresh process a runner: own session, dies with its maker, deaf to TERM and INT
2. `serve`   takes assignments from the shared socket, keeps the slip, sends the reports
3. `execute` runs one job: pure, an assignment in, an outcome out
4. `interrupts` raises in the job's code what the parent has ordered
5. `blame`   turns an exception into an error report
6. `hygiene` lets each attempt start clean
7. `memory`  measures the runner and limits what a job may take
8. `wear`    tells when a runner has run enough and is to be replaced
"""
