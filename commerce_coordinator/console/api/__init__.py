"""The REST interface of the console, version 1: for staff and for services."""
