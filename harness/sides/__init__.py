"""The two sides of an ab: revisions, their checkouts, and where their code comes from."""
