"""Bytes, for people. Used before anything is installed, so it needs nothing but Python."""

MIB = 1024 * 1024
GIB = 1024 * MIB


def human(size: float) -> str:
    """Render a number of bytes as `512 MiB` or `1.5 GiB`."""
    if size >= GIB:
        return f"{size / GIB:.1f} GiB"
    return f"{size / MIB:.0f} MiB"
