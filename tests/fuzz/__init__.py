"""Hostile input: what comes from outside, made up by Hypothesis or by atheris, and what the product promises of it."""
