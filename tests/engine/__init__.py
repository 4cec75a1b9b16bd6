"""The program under a real Pulumi engine, against a stand-in for Cloudflare. Run by `make engine` alone."""
