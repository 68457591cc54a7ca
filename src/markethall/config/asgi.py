"""The one port: live connections stay on the event loop, all else goes to worker threads."""

from markethall.config.wsgi import application as pages_and_api

# The line above sets Django up, which what follows needs.
from django.conf import settings  # isort: skip
from markethall.interfaces.live.app import live  # isort: skip
from markethall.interfaces.server.front import Front  # isort: skip
from markethall.interfaces.server.intake import Intake  # isort: skip

application = Front(pages_and_api, live, threads=settings.ENVIRONMENT.web_threads, intake=Intake())
