"""Children of a demonstration, with real processes."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from graphmind.demo.processes import Child, DemoError, ended_by_sigterm

GRANDCHILD = (
    "import subprocess, sys, time\n"
    "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print(one.pid, flush=True)\n"
    "time.sleep(60)\n"
)


def child(tmp_path, code):
    command = [sys.executable, "-c", code]
    return Child("one", command, folder=tmp_path, cwd=tmp_path, environment=os.environ)


def until(true):
    end = time.monotonic() + 20
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_nothing_that_a_child_started_outlives_its_end(tmp_path):
    one = child(tmp_path, GRANDCHILD)
    until(lambda: one.log.endswith("\n"))
    grandchild = int(one.log)
    one.must_live()

    one.end()

    until(lambda: gone(grandchild))


def test_a_child_that_ended_is_told_with_its_last_words(tmp_path):
    one = child(tmp_path, "raise SystemExit('no room on stage')")

    with pytest.raises(DemoError, match="no room on stage"):
        until(one.must_live)
    one.end()


def test_what_does_not_come_in_time_is_given_up(tmp_path):
    one = child(tmp_path, "import time; time.sleep(60)")
    try:
        with pytest.raises(DemoError, match="its first word did not come in time"):
            one.must_come(time.monotonic() - 1, "its first word")
    finally:
        one.end()


def test_sigterm_ends_it_as_ctrl_c_does():
    code = (
        "import os, signal\n"
        "from graphmind.demo.processes import ended_by_sigterm\n"
        "try:\n"
        "    with ended_by_sigterm():\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "except KeyboardInterrupt:\n"
        "    print('tidied up')\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout == "tidied up\n"
    before = signal.getsignal(signal.SIGTERM)
    with ended_by_sigterm():
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is before
