"""The ports, done with the Workers platform. The platform stops in this folder."""
