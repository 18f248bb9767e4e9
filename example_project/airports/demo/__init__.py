"""What `manage.py demo` and `manage.py serve` do: plan jobs, keep a worker running, say what came of it."""
