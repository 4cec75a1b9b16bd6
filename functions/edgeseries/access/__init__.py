"""Who may do what: grants, keys, rates."""
