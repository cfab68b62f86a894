"""Studies: searching, resuming, reading; what brings problem, engine and runner together."""
