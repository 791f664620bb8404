"""A shop for printed course books: orders come in by its webhook, a warehouse ships them."""
