"""A process that a handler forks ends with the handler; one that nobody forked goes on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.runtime.forks import end_if_forked

PROGRAM = """
import os
from gateway.runtime.forks import end_if_forked
end_if_forked(failed=True)
child = os.fork()
if not child:
    end_if_forked(failed=FAILED)
    os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_who_was_not_forked_goes_on() -> None:
    """Whatever became of the handler."""
    end_if_forked(failed=True)


@pytest.mark.parametrize(("failed", "code"), [(True, "1"), (False, "0")])
def test_a_copy_ends_as_its_handler_did(code: str, *, failed: bool) -> None:
    """At once: nothing of what was to be done at the end of the process is done twice."""
    program = PROGRAM.replace("FAILED", str(failed))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == code
