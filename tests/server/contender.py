"""A separate process that calls tickets on command: `TICKET TERMINAL STAFF MOMENT` per line, one answer per line."""

import sys
import time

from madoguchi.server.prepare import setup


def main() -> None:
    """Answer `won` or the code of the refusal."""
    setup()
    from madoguchi.protocol import ProtocolError
    from madoguchi.server.accounts.models import Staff
    from madoguchi.server.counters.models import Terminal
    from madoguchi.server.errors import OfficeError
    from madoguchi.server.visits import services
    from madoguchi.server.visits.models import Visit

    print("ready", flush=True)  # noqa: T201 - the answer channel
    for line in sys.stdin:
        ticket, terminal, staff, moment = line.split()
        visit = Visit.objects.select_related("procedure").get(pk=ticket)
        where, who = Terminal.objects.get(pk=terminal), Staff.objects.get(username=staff)
        time.sleep(max(0.0, float(moment) - time.time()))
        try:
            services.call(visit=visit, terminal=where, staff=who)
            answer = "won"
        except (OfficeError, ProtocolError) as refusal:
            answer = refusal.code
        print(answer, flush=True)  # noqa: T201 - see above


if __name__ == "__main__":
    main()
