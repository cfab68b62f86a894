"""Searches, resumes and reads studies: brings problem, engine and runner together."""
