"""What all REST endpoints share: one envelope for errors, permissions, throttles, paging."""
