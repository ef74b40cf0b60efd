"""`python -m webui_standin --port 7860 --api`."""

import sys

from webui_standin import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
