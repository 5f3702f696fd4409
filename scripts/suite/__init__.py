"""What scripts/test runs once all is installed: its steps within the limit, and nothing of them left afterwards."""
