"""The servers of a stack, a module each: how it is started, and how to tell that it answers. `mesh` has the services."""
