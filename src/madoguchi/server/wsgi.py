"""WSGI entry, for granian: `granian --interface wsgi madoguchi.server.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madoguchi.server.settings")

application = get_wsgi_application()
