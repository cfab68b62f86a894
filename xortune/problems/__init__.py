"""Problems: what a trial trains."""
