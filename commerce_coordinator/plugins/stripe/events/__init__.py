"""From Stripe's objects to our payloads. Pure functions: an event in, values out, or a reason why not.

Whatever JSON comes, a builder returns values, or raises EventIgnored or EventNotUnderstood. Reasons name fields.
"""
