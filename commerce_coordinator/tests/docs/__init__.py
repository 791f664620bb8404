"""The README and docs/ are run here, as far as that is quick: what they name must be there."""
