"""An airport guide: an example project that shows django_jobs on real input."""
