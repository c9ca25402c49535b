"""Model-side room: engines in processes of their own, and the clients that reach them. No Django.

`serve` runs engines behind gRPC; `lane` orders their work; `client` and `embedder` call them.
"""
