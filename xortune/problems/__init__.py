"""Problems: the models that trials train, and their data."""
