"""The man pages of both programs, made from their help texts, which are the only place where anything is said."""
