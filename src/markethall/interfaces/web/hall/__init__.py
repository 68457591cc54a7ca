"""The hall: its landing page, and the small files that browsers and robots ask for."""
