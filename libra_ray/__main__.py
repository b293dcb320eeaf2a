"""`python -m libra_ray`: the `libra` command, also of a checkout that is not installed."""

from libra_ray.cli.entry import main

if __name__ == "__main__":
    main()
