"""`python -m lagoa` is the `lagoa` command."""

from lagoa.cli.main import main

if __name__ == "__main__":
    main()
