"""A subset of PromQL over points: text to syntax, syntax to values. It knows no store and no HTTP."""
