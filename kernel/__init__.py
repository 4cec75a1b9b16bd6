"""The kernel: its source in Zig, and how it is built. The page: docs/kernel.md."""
