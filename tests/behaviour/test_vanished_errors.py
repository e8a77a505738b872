"""Errors and work that vanish: coroutines that never run, tasks that disappear, exceptions that leave no trace."""

from __future__ import annotations

import pytest

from tests.behaviour.conftest import Launch
from tests.behaviour.program import Program, program

FASTAPI = """
    import asyncio
    import gc
    import logging
    import sys

    from fastapi import FastAPI

    app = FastAPI()
    logger = logging.getLogger(__name__)


    async def work() -> None:
        sys.stderr.write("work begins\\n")
        {wait}
        raise ValueError("no mail")


    @app.get("/")
    async def index() -> str:
        {call}
        return "done"


    @app.get("/collect")
    async def collect() -> int:
        return gc.collect()
"""


FOREVER = "await asyncio.get_running_loop().create_future()"


def with_call(rule: str, call: str, wait: str = "await asyncio.sleep(0)") -> Program:
    return program(rule, "fastapi", FASTAPI.format(call=call, wait=wait))


@pytest.mark.proves("unawaited-coroutine")
def test_the_body_of_a_coroutine_that_nobody_awaits_never_runs(launch: Launch) -> None:
    bad = with_call("unawaited-coroutine", "work()  # flagged: unawaited-coroutine")
    server = launch(bad)
    assert server.get("/").text == '"done"'
    server.wait_for_output("RuntimeWarning: coroutine 'work' was never awaited")
    assert "work begins" not in server.stderr

    fixed = launch(bad.fixed())
    assert fixed.get("/").status == 500
    fixed.wait_for_output("ValueError: no mail")
    assert "work begins" in fixed.stderr
    assert "never awaited" not in fixed.stderr


@pytest.mark.proves("unawaited-coroutine")
def test_a_task_does_run(launch: Launch) -> None:
    server = launch(with_call("unawaited-coroutine", "kept = asyncio.create_task(work())"))
    assert server.get("/").text == '"done"'
    server.wait_for_output("work begins")
    assert "never awaited" not in server.stderr


DROPPED = "asyncio.create_task(work())  # flagged: dropped-task"


@pytest.mark.proves("dropped-task")
def test_a_task_that_nobody_keeps_is_collected_while_it_waits(launch: Launch) -> None:
    bad = with_call("dropped-task", DROPPED, FOREVER)
    server = launch(bad)
    assert server.get("/").text == '"done"'
    server.wait_for_output("work begins")
    server.get("/collect")
    server.wait_for_output("Task was destroyed but it is pending!")

    fixed = launch(bad.fixed())
    assert fixed.get("/").text == '"done"'
    fixed.wait_for_output("work begins")
    assert fixed.get("/collect").status == 200
    assert fixed.get("/collect").status == 200
    assert "Task was destroyed" not in fixed.stderr


@pytest.mark.proves("dropped-task")
@pytest.mark.parametrize("call", [DROPPED, "kept = asyncio.create_task(work())"])
def test_nobody_hears_of_the_error_of_a_task_but_the_log_of_asyncio(launch: Launch, call: str) -> None:
    server = launch(with_call("dropped-task", call))
    assert server.get("/").text == '"done"'
    server.wait_for_output("Task exception was never retrieved")


@pytest.mark.proves("dropped-task")
def test_who_awaits_the_task_hears_of_its_error(launch: Launch) -> None:
    server = launch(with_call("dropped-task", "await asyncio.create_task(work())"))
    assert server.get("/").status == 500
    assert "never retrieved" not in server.stderr
