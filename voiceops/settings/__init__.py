"""Settings modules: `dev` (default), `test`, `prod`; all built on `base`."""
