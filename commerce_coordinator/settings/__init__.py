"""base <- local, test, production. The map is in routes; there is no second one."""
