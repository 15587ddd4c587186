"""Tests of how the product talks to a tenant: one attempt, what its answer leads to, and every row of an alert."""
