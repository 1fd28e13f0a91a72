"""What it takes to run and to build things on one machine, whatever they are: knows no server, and nothing of Souk.

`processes` starts, finds and stops a process; `component` brings one up and waits until it answers (`health`, `ports`,
`fingerprints`); `exclusive` lets one command at a time do it; `progress` and `problems` tell the person at the keyboard.
`kept` makes folders that take minutes to make once for each machine, such as what `go` builds from Go modules. The other rooms
of `scripts/` borrow this from the stack, and nothing else.
"""
