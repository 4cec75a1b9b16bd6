"""The deployment of EdgeSeries: settings and plans in pure modules, resources in components.

`settings`, `readers`, `names`, `bundle`, `imports` and `wiring` decide and import no Pulumi;
`components` and `program` turn the decisions into resources. Function code is read as
bytes, never imported.
"""
