"""The parts of the signal map's page: what is told of a node, the picture of all, the table of all."""
