"""From the source's texts to what the programs read: extract, update, compile."""
