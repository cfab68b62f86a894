"""A session with Ray: started or joined, shared by searches, and left without a trace."""
