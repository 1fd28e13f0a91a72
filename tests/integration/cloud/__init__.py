"""The cloud's jobs, on a real PostgreSQL and AWS's interfaces in memory."""
