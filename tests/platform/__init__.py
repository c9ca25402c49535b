"""The platform as a person starts it: ./run, for real."""
