"""Delivery: the commands around the Pulumi program, each a thin `make` target.

Deploying, previews, the check of migrations, configuration for wrangler, the smoke test, the cost model.
What a command decides is in pure functions; running other programs is in `delivery.programs`.
"""
