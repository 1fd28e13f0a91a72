"""Where this repository lies, and the address on which everything of this machine listens."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HOST = "127.0.0.1"
# Ports below are root's.
LOWEST_PORT, HIGHEST_PORT = 1024, 65_535
