"""Places in the log: positions, tiles, checkpoints; late commits, several integrators, restores."""

from madoguchi.server.ledger import integrator, log, statements
from server.databases import Fresh


def test_a_statement_gets_a_place_and_a_checkpoint(fresh: Fresh) -> None:
    assert fresh.url
    ids = [statements.state(kind="clock_off", body={"skew": float(n)}, alone=True) for n in range(300)]
    last = integrator.settle()
    assert last.size == len(ids)
    assert [log.position_of(found) for found in ids] == list(range(300))
    assert integrator.integrate() is None
