"""Stories that cross domains, one file a story. ``reactions.py`` is the table of what follows
from what. A story that calls a provider does so between two transactions, never inside one."""
