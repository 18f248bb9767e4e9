"""What `manage.py demo` does: plan the jobs, keep a worker running, count what came of them."""
