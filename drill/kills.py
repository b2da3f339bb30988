"""``kill -9`` at random moments: of the flow's process, a worker, the Prefect server, the store."""

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

from drill.lab import LIMIT, QUICK, ROOT, Disturbance, Lab, Moment, Undisturbed
from drill.prefect_server import ENDED
from drill.processes import Ended, Program, wait_for
from drill.table import Row
from flows.config import load_config

BY_THE_DRILL = True  # whatever a killed program says of its death is clear


def kills(lab: Lab, whole: Undisturbed, seed: int, count: int, first: int = 1) -> Iterator[Row]:
    """The kinds take turns, flows twice as often; every other one of a kind is the harder variant. Those before ``first`` are left out."""
    source, met = random.Random(seed), Counter[str]()
    turns = itertools.cycle([kill_flow, kill_store, kill_server, kill_flow, kill_worker])
    for turn, kind in enumerate(itertools.islice(turns, count), start=1):
        number, moment = met[kind.__name__], Moment.draw(source)
        met[kind.__name__] += 1
        if turn >= first:
            yield kind(lab, whole, f"{kind.__name__.replace('_', '-')}-{number}", moment, number % 2 == 1)


def kill_flow(lab: Lab, whole: Undisturbed, name: str, moment: Moment, again: bool) -> Row:
    """The process that a user started. ``again``: the rerun is killed too, at the same share, and the one after it counts."""
    ended, when = _killed(lab, whole, name, moment)
    if again:
        second = Moment(moment.share + (1 - moment.share) / 2, moment.delay)
        after, later = _killed(lab, whole, name, second)
        ended, when = Ended(after.code, after.lines, ended.seconds + after.seconds), f"{when}; again: {later}"
    found = Disturbance("kill", "flow, twice" if again else "flow", when, ended, lab.look(name), clear=BY_THE_DRILL)
    return lab.judge(found, name, whole)


def _killed(lab: Lab, whole: Undisturbed, name: str, moment: Moment) -> tuple[Ended, str]:
    with lab.start(name) as program:
        when = lab.until(moment, name, whole, program)
        program.kill()
        return program.wait(LIMIT), when


def kill_store(lab: Lab, whole: Undisturbed, name: str, moment: Moment, stays: bool) -> Row:
    """All of the store's processes; it comes back at once, or ``stays`` away until the run has ended."""
    ended, when = _with_outage(lab, whole, name, moment, lab.swift.kill, lab.swift.start, stays)
    what = "store, away until the run ended" if stays else "store, back at once"
    return lab.judge(Disturbance("kill", what, when, ended, lab.look(name)), name, whole)


def kill_server(lab: Lab, whole: Undisturbed, name: str, moment: Moment, stays: bool) -> Row:
    """Prefect's server; see ``kill_store``."""
    ended, when = _with_outage(lab, whole, name, moment, lab.server.kill, lab.server.start, stays)
    what = "Prefect server, away until the run ended" if stays else "Prefect server, back at once"
    return lab.judge(Disturbance("kill", what, when, ended, lab.look(name)), name, whole)


def _with_outage(
    lab: Lab, whole: Undisturbed, name: str, moment: Moment, kill: Callable[[], None], start: Callable[[], None], stays: bool
) -> tuple[Ended, str]:
    """How a run ends during which something else was killed. That something runs again afterwards, whatever happens."""
    with lab.start(name) as program:
        when = lab.until(moment, name, whole, program)
        kill()
        try:
            ended = program.wait(LIMIT) if stays else None
        finally:
            start()
        return ended or program.wait(LIMIT), when


def kill_worker(lab: Lab, whole: Undisturbed, name: str, moment: Moment, alone: bool) -> Row:
    """A worker with the run that it started; ``alone``: the run is left behind without its worker, while another one begins."""
    with _worker(lab, name) as worker:
        deployment = lab.server.deploy("flows.pipeline.pipeline", "spanferry")
        run = _order(lab, deployment, name)
        when = lab.until(moment, name, whole, worker)
        worker.kill(alone=alone)
        ended = worker.wait(LIMIT)
    before = lab.look(name)
    time.sleep(2)
    state, _ = lab.server.state(run)
    with _worker(lab, f"{name}-next") as _:
        started = time.monotonic()
        second = _order(lab, deployment, name)
        wait_for(lambda: lab.server.state(second)[0] in ENDED, "the next worker's run", LIMIT, every=1)
        rerun = _as_ended(lab, second, time.monotonic() - started)
        if alone:
            wait_for(lambda: lab.server.state(run)[0] in ENDED, "the run without its worker", LIMIT, every=1)
    said = f"run without a worker: {state}, later {lab.server.state(run)[0]}" if alone else f"run in the UI: {state}"
    what = "worker, its run goes on; next worker at once" if alone else "worker and its run"
    found = Disturbance("kill", what, when, ended, before, said=said, clear=BY_THE_DRILL)
    return lab.judge(found, name, whole, rerun=rerun)


def _worker(lab: Lab, name: str) -> Program:
    return lab.server.worker(name, lab.folder / "log" / f"{name}-worker.log", lab.environment(), ROOT)


def _order(lab: Lab, deployment: str, name: str) -> str:
    config = load_config("embedded", list(QUICK)).model_dump(mode="json")
    paths = {"corpus": str(lab.corpus), "store": lab.url(name), "out": str(lab.out(name))}
    return lab.server.order(deployment, {"config": config, "source": "es", "targets": ["en"], **paths})


def _as_ended(lab: Lab, run: str, seconds: float) -> Ended:
    state, message = lab.server.state(run)
    return Ended(0 if state == "COMPLETED" else 1, (f"{state}: {message}",), seconds)
