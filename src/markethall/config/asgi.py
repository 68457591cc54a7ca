"""The one port: live connections stay on the event loop, all else goes to worker threads."""

from markethall.config.wsgi import application as pages_and_api
from markethall.interfaces.live.app import live
from markethall.interfaces.server.front import Front

application = Front(pages_and_api, live)
