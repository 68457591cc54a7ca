"""The figure that counts: requests a second, next to what pgbench does with the same SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench import pgbench
from bench.figures import median
from bench.hall import Cpu, Hall
from bench.load import Load, Requests, closed_loop

CONNECTIONS = 16
_TURNS = 2
_SECONDS = 5.0
_WARM_UP = 1.5


@dataclass(frozen=True, slots=True)
class Against:
    """Loads and pgbench runs taken in turns: pgbench, load, pgbench, load, pgbench."""

    loads: Sequence[Load]
    rates: Sequence[pgbench.Rate]
    cpu: Sequence[Cpu]

    @property
    def ratio(self) -> float:
        """The median of the loads, each against the mean of the pgbench runs around it."""
        pairs = zip(self.loads, self.rates, self.rates[1:], strict=False)
        return median([load.per_second / ((a.tps + b.tps) / 2) for load, a, b in pairs])

    @property
    def per_second(self) -> float:
        return median([load.per_second for load in self.loads])

    @property
    def tps(self) -> float:
        return sum(rate.tps for rate in self.rates) / len(self.rates)

    @property
    def note(self) -> str:
        answered = sum(len(load.latencies) for load in self.loads)
        hall = sum(cpu.hall for cpu in self.cpu) / max(answered, 1) * 1000
        database = sum(cpu.database for cpu in self.cpu) / max(answered, 1) * 1000
        rates = ", ".join(f"{rate.tps:,.0f}" for rate in self.rates)
        loads = ", ".join(f"{load.per_second:,.0f}" for load in self.loads)
        return (
            f"{loads} requests/s between pgbench runs of {rates} tps"
            f" ({self.rates[0].statements} statements); CPU a request:"
            f" {hall:.2f} ms hall, {database:.2f} ms database"
        )


def measure(hall: Hall, requests: Requests, scripts: Sequence[str]) -> Against:
    """Load and pgbench in turns. Every request must be answered as ``expected``."""
    closed_loop(hall.port, requests, connections=CONNECTIONS, seconds=_WARM_UP)
    loads, cpu = [], []
    rates = [pgbench.run(scripts, connections=CONNECTIONS, seconds=_SECONDS)]
    for _ in range(_TURNS):
        before = hall.cpu()
        loads.append(closed_loop(hall.port, requests, connections=CONNECTIONS, seconds=_SECONDS))
        cpu.append(hall.cpu().since(before))
        rates.append(pgbench.run(scripts, connections=CONNECTIONS, seconds=_SECONDS))
    return Against(loads, rates, cpu)


def must_be(load: Load, *expected: int) -> None:
    """Raises when something else was answered: such a run measures something else."""
    if refused := load.refused(*expected):
        raise RuntimeError(f"answered with {refused} instead of {expected}")
