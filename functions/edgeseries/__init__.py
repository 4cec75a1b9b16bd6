"""EdgeSeries' shared package: core (pure) <- ports <- adapters. Workers use it; it knows no Worker."""
