"""What a service hears: `consumer` takes batches, `reader` reads, `inbox` counts each once, `parked` keeps what fails.

`at_least_once` is the consumer of a service without tables; `operate` is what an operator may do about parked events.
"""
