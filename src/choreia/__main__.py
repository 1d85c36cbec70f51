"""`python -m choreia`."""

from choreia.cli import main

main()
