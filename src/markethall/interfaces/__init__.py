"""Doors of the hall: API, pages, live updates, jobs, commands. They parse, call one action, flow
or query, and render. No rule lives here."""
