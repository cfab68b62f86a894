"""Whether a GPU is seen, with drivers that answer differently."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = """
int cuInit(unsigned flags) { return INIT + flags; }
int cuDeviceGetCount(int *count) { *count = COUNT; return FAULT; }
"""
ASK = """
import sys
from xortune.engines.devices import sees_gpu

print(sees_gpu(), "torch" in sys.modules)
"""


@pytest.fixture
def sees_gpu(tmp_path):
    """Asks in a process of its own, beside a CUDA driver that is compiled for the test."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("there is no C compiler")

    def sees_gpu(init: int, count: int, fault: int = 0, **environment: str) -> bool:
        (tmp_path / "driver.c").write_text(DRIVER)
        macros = (f"-DINIT={init}", f"-DCOUNT={count}", f"-DFAULT={fault}")
        command = (compiler, "-shared", "-fPIC", *macros, "driver.c", "-o", "libcuda.so.1")
        subprocess.run(command, cwd=tmp_path, check=True)
        return asked({"LD_LIBRARY_PATH": str(tmp_path), **environment})

    return sees_gpu


def asked(environment: dict[str, str]) -> bool:
    cleared = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**cleared, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    seen, torch = done.stdout.split()
    assert torch == "False"
    return seen == "True"


@pytest.mark.parametrize(
    ("init", "count", "fault", "seen"),
    [(0, 1, 0, True), (0, 8, 0, True), (0, 0, 0, False), (100, 1, 0, False), (0, 1, 3, False)],
    ids=["one", "eight", "none", "no device", "failing"],
)
def test_the_driver_is_asked(sees_gpu, init, count, fault, seen):
    assert sees_gpu(init, count, fault) == seen


@pytest.mark.parametrize("visible", ["", "-1", " "])
def test_gpus_that_are_hidden_are_not_seen(sees_gpu, visible):
    assert not sees_gpu(0, 1, CUDA_VISIBLE_DEVICES=visible)
    assert sees_gpu(0, 1, CUDA_VISIBLE_DEVICES="0")


def test_a_file_that_is_not_a_driver_finds_no_gpu(tmp_path):
    (tmp_path / "libcuda.so.1").write_text("no library")
    assert not asked({"LD_LIBRARY_PATH": str(tmp_path)})


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a GPU")
def test_without_a_driver_no_gpu_is_seen():
    assert not asked({})
