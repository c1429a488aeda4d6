"""`python -m secondsight` is the command line."""

from secondsight.cli import main

if __name__ == "__main__":
    main()
