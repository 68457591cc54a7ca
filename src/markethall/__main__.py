"""``python -m markethall`` is the command ``markethall``."""

from markethall.interfaces.cli.main import app

if __name__ == "__main__":
    app()
