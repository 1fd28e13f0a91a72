"""Programs and files that take minutes to make, such as what is built from Go modules: made once for each machine, then kept.

`kept` makes folders of `~/.cache/souk` one at a time and picks up what was interrupted; `go` builds programs from modules
whose every part go.sum names by its hash. Which tools there are stands with those who use them.
"""
