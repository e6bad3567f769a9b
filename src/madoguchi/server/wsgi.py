"""WSGI entry, for granian: `granian --interface wsgi madoguchi.server.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madoguchi.server.settings")

application = get_wsgi_application()

# After the application: the models have to be there.
from madoguchi.server.ledger.integrator import start_in_process  # noqa: E402

start_in_process()
