"""RPMs as values: names (`nevra`), repositories (`repo`), and what the lock pins of them (`artifact`)."""
