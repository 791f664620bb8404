"""The LMS: what we do on it (and, later, what it calls on us)."""
