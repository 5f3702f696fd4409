"""The journey of a bundle to hosts that have nothing, played at the end of scripts/demo."""
