"""Steps that flows of more than one Worker take. They await ports and know no platform."""
