"""A site's own plugin, such as an operator has beside the shipped ones. It changes with the releases named in
CAMPUS_RELEASE, a list of words: what the tests deploy."""
