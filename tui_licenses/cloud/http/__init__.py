"""HTTP as the contract wants it: callers, conditions, problems, lists, downloads."""
