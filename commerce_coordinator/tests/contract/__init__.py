"""Both tables of the contract with the LMS, row by row, over HTTP: what is called on us, what we call."""
