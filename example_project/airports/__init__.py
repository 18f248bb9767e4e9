"""The guide's one app: airports, photographs, and the jobs that bring them in."""
