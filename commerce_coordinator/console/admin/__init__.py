"""The admin of the record: events, dispatches, deliveries, attempts. To read and to replay from, never to edit.

Its lists must stay quick on tables of millions of rows, so they order, filter and search by indexes alone.
"""

from django.contrib import admin

# Importing them registers them; Django's admin looks for this package in each installed app.
from . import attempts, deliveries, dispatches, events, refusals  # noqa: F401

admin.site.index_template = "console/admin/index.html"
admin.site.site_header = admin.site.site_title = "Commerce Coordinator"
