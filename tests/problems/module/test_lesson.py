"""A module's lesson: what makes its models, its rows, losses and metrics, in any process."""

import pickle
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

import xortune
from tests.declared_modules import MOONS, data, gap, made, rows
from xortune.errors import UsageError
from xortune.problems.code.code import load_code
from xortune.problems.module.lesson import Material, load_lesson, load_material

PARAMS = {"width": 3, "activation": "ReLU", "lr": 0.1, "epochs": 2, "seed": 4}


@pytest.fixture
def moons(tmp_path):
    path = tmp_path / "moons.py"
    path.write_text(MOONS)
    return load_code(path)


def lesson_of(**declared):
    return load_lesson(load_code(made(**declared)))


def said(**declared):
    with pytest.raises(UsageError) as caught:
        lesson_of(**declared)
    return str(caught.value)


def test_a_file_gives_models_of_the_data_rows_losses_and_metrics(moons):
    lesson = load_lesson(moons)
    torch.manual_seed(4)
    model = lesson.build(PARAMS)
    assert [tuple(p.shape) for p in model.parameters()] == [(3, 2), (3,), (1, 3), (1,)]
    assert (lesson.loss, set(lesson.losses), set(lesson.metrics)) == (
        "bce_with_logits", {"bce_with_logits"}, {"accuracy"},
    )  # fmt: skip
    assert (lesson.x.shape, lesson.x.dtype, lesson.y.dtype) == ((40, 2), torch.float32, torch.int64)
    output = model(lesson.x_validation)
    assert 0 <= lesson.metrics["accuracy"](output, lesson.y_validation) <= 1
    assert lesson.losses[lesson.loss](output, lesson.y_validation).dim() == 0


def test_another_process_has_the_same_lesson_from_the_code_and_its_rows_alone(moons, tmp_path):
    material = load_material(moons)
    (tmp_path / "moons.py").unlink()
    program = (
        "import pickle, sys\nfrom xortune.problems.module.lesson import load_lesson\nimport torch\n"
        "lesson = load_lesson(pickle.load(sys.stdin.buffer))\ntorch.manual_seed(4)\n"
        f"model = lesson.build({PARAMS})\nprint(lesson.rows.digest, *model.state_dict().values())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(material), capture_output=True, cwd="/"
    )
    lesson = load_lesson(material)
    torch.manual_seed(4)
    here = lesson.build(PARAMS).state_dict().values()
    assert run.stdout.decode().strip() == " ".join(map(str, (lesson.rows.digest, *here)))


def test_only_keywords_of_the_model_reach_it():
    seen = {}

    def model(width, inputs, **others):
        seen.update(others, width=width, inputs=inputs)
        return torch.nn.Linear(2, 1)

    lesson_of(model=model).build({**PARAMS, "optimizer": "adam", "batch_size": 3})
    assert seen == {"width": 3, "inputs": 2, "activation": "ReLU"}


def test_a_model_that_makes_no_module_says_so_where_it_is_built():
    with pytest.raises(TypeError, match="model returned 3, and must return a torch.nn.Module"):
        lesson_of(model=lambda width: width).build(PARAMS)


def test_a_model_that_is_lazy_or_ends_the_process_says_so_where_it_is_built():
    with pytest.raises(TypeError, match="weight has no shape yet: use no lazy modules"):
        lesson_of(model=lambda width: torch.nn.LazyLinear(width)).build(PARAMS)

    def leaves(width):
        raise SystemExit(width)

    with pytest.raises(RuntimeError, match="model ends the process: SystemExit: 3"):
        lesson_of(model=leaves).build(PARAMS)


def test_errors_are_worded_with_the_place_in_the_users_file(moons, tmp_path):
    path = tmp_path / "moons.py"
    path.write_text(MOONS.replace("act = ", "raise KeyError(activation)\n    act = "))
    lesson = load_lesson(load_code(path))
    with pytest.raises(KeyError) as caught:
        lesson.build(PARAMS)
    assert lesson.words(caught.value) == "KeyError: 'ReLU' (moons.py:9)"


def test_whole_numbers_are_classes_unless_a_loss_takes_numbers():
    told = {}

    def model(outputs, width):
        told["outputs"] = outputs
        return torch.nn.Linear(2, 1)

    def classes():
        x, _ = rows(12)
        y = torch.arange(12) % 3
        return xortune.Split(x, y, x, y)

    for loss, outputs in (("cross_entropy", 3), (gap, 3), ("bce_with_logits", 1), ("mse", 1)):
        lesson_of(model=model, data=classes, loss=loss).build(PARAMS)
        assert told["outputs"] == outputs


def test_what_data_draws_is_the_same_every_time_and_the_callers_generators_are_left_alone():
    def drawn():
        draws = random.random(), np.random.rand(), torch.rand(()).item()
        x = torch.tensor([draws, draws])
        return xortune.Split(x, [0, 1], x, [0, 1])

    random.seed(9)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    digests = {lesson_of(data=drawn).rows.digest for _ in range(2)}
    assert len(digests) == 1
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])


def test_data_that_fails_shows_the_users_own_lines(tmp_path):
    path = tmp_path / "moons.py"
    path.write_text(MOONS.replace("angle = torch", "angle = touch"))
    with pytest.raises(UsageError) as caught:
        load_lesson(load_code(path))
    assert str(caught.value).splitlines() == [
        f"problem {path}: data fails: NameError: name 'touch' is not defined. Did you mean: "
        "'torch'?" if sys.version_info >= (3, 12) else
        f"problem {path}: data fails: NameError: name 'touch' is not defined",
        "  moons.py, line 14: angle = touch.linspace(0, torch.pi, 60)",
    ]  # fmt: skip


def test_data_that_is_missing_or_no_split_is_said():
    assert "problem of this session: brings no data. Add a function that" in said(data=None)
    assert "problem of this session: data: returned 3, and must return" in said(data=lambda: 3)

    def leaves():
        raise SystemExit(2)

    assert "data fails: SystemExit: 2" in said(data=leaves)


def test_a_fold_is_the_lesson_of_other_rows(moons):
    lesson = load_lesson(moons)
    fold = lesson.fold(1, 4)
    assert (len(fold.x), len(fold.x_validation)) == (60, 20)
    assert fold.build is lesson.build
    assert np.array_equal(fold.x.numpy(), lesson.rows.fold(1, 4).x)
    assert torch.equal(fold.x_test, lesson.x_test)


def test_rows_lie_where_pytorch_puts_them_whatever_their_array_was():
    odd = np.zeros(41, np.uint8)[1:].view(np.float32).reshape(5, 2)

    def unaligned():
        return xortune.Split(odd, odd[:, 0], odd, odd[:, 0])

    lesson = lesson_of(data=unaligned)
    assert lesson.x.data_ptr() % 64 == 0
    assert lesson.x.is_contiguous()


def test_a_lesson_needs_no_call_of_data_where_the_rows_have_come_along():
    def once():
        once.calls += 1
        return data()

    once.calls = 0
    code = load_code(made(data=once))
    material = load_material(code)
    assert once.calls == 1
    load_lesson(Material(code, material.rows))
    assert once.calls == 1
