"""Benchmarks of the running platform, one module each; `manage.py bench NAME` runs them."""
