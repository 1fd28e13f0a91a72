"""Calls between services: how they are served, made, let in and refused. The only part of the chassis that knows gRPC."""
