"""Tests of the whole: real processes, real HTTP, real kills."""
