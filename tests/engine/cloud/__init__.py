"""A Cloudflare API on loopback that keeps the platform's rules, for a real Pulumi engine to deploy to."""
