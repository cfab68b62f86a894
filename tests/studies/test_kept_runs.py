"""Which trials have TensorBoard runs: all, the best at the end, or none."""

import re
import socket

import pytest

import xortune
from tests.cli.commands import call, run
from tests.tensorboard.reading import read
from xortune.errors import UsageError, XortuneError
from xortune.settings import RunOptions
from xortune.tensorboard.runs import RunWriter

SEARCH = {"space": "smoke", "runner": "inline", "sampler": "random"}


def searched(folder, runs, trials=12, name="one", **settings):
    given = {**SEARCH, **settings}
    return xortune.search(trials=trials, name=name, results=folder, tensorboard=runs, **given)


def runs_of(study):
    """The numbers of the trials that have a run."""
    if not study.paths.tensorboard.exists():
        return []
    return sorted(int(path.name[6:]) for path in study.paths.tensorboard.iterdir())


def best(study, count):
    return sorted(study.trials["number"].head(count))


def content(study):
    """All that must not depend on the runs."""
    times = ["duration_s", "worker"]
    return study.trials.drop(columns=times).to_csv(), study.all_curves().to_csv()


@pytest.mark.parametrize(
    ("text", "count"), [("all", None), ("none", 0), ("top:1", 1), ("top:100", 100)]
)
def test_the_option_is_all_none_or_a_number_of_the_best(text, count):
    assert RunOptions(tensorboard=text).best_with_runs == count


@pytest.mark.parametrize(
    "value",
    ["", "top", "top:", "top:0", "top:-1", "top:1.5", "top:x", "top:\u0663", "ALL", 5, None],
)
def test_anything_else_is_refused_with_what_would_be_right(value):
    with pytest.raises(UsageError, match="must be all, none, or top:K") as raised:
        RunOptions(tensorboard=value)
    assert f"tensorboard {value!r}" in str(raised.value)


def test_the_best_trials_alone_have_runs_at_the_end(tmp_path):
    study = searched(tmp_path, "top:3")
    assert runs_of(study) == best(study, 3)
    curve = study.curves(study.best_number)
    shown = read(study.paths.folder, study.best_number).Scalars("loss/training")
    assert [point.step for point in shown] == curve["epoch"].tolist()


def test_runs_do_not_change_a_result(tmp_path):
    found = [content(searched(tmp_path, runs, name=runs[:3])) for runs in ("all", "none", "top:2")]
    assert found[0] == found[1] == found[2]


def test_a_resume_leaves_exactly_the_best_of_then(tmp_path):
    study = searched(tmp_path, "all", trials=4)
    (study.paths.run(1) / "mine.txt").write_text("mine")
    (study.paths.tensorboard / "notes").mkdir()
    study = xortune.resume(study.paths.folder, trials=20, runner="inline", tensorboard="top:2")
    top = {f"trial-{number:05d}" for number in best(study, 2)}
    with_events = {path.parent.name for path in study.paths.tensorboard.glob("*/events*")}
    assert with_events == top
    # What somebody else has put there stays.
    assert (study.paths.run(1) / "mine.txt").exists()
    there = {path.name for path in study.paths.tensorboard.iterdir()}
    assert there == top | {"trial-00001", "notes"}


def test_a_resume_with_none_leaves_the_runs_that_are_there(tmp_path):
    study = searched(tmp_path, "all", trials=3)
    study = xortune.resume(study.paths.folder, trials=6, runner="inline", tensorboard="none")
    assert runs_of(study) == [0, 1, 2]


def test_a_resume_with_all_writes_what_is_missing(tmp_path):
    study = searched(tmp_path, "none", trials=5)
    assert runs_of(study) == []
    assert xortune.resume(study.paths.folder, tensorboard="all").name == "one"
    assert runs_of(study) == [0, 1, 2, 3, 4]


def test_fewer_complete_trials_than_wanted_all_have_runs(tmp_path):
    space = {
        "lr": {"values": [0.1, 3e38]},
        "epochs": {"value": 20},
        "seed": {"min": 0, "max": 9},
        "loss_fn": {"value": "bce_with_logits"},
    }
    study = searched(tmp_path, "top:50", space=space)
    complete = study.trials.query("state == 'COMPLETE'")["number"]
    assert 0 < len(complete) < 12
    assert runs_of(study) == sorted(complete)


def test_a_kill_while_the_best_are_written_is_made_good_by_a_resume(tmp_path, monkeypatch):
    written = []
    make_folder = RunWriter._make_folder

    def killed(writer, run):
        if len(written) == 2:
            raise XortuneError("killed here")
        written.append(run)
        make_folder(writer, run)

    with monkeypatch.context() as once:
        once.setattr(RunWriter, "_make_folder", killed)
        with pytest.raises(XortuneError, match="killed here"):
            searched(tmp_path, "top:4")
    study = xortune.load("one", tmp_path)
    assert len(runs_of(study)) == 2
    xortune.resume(study.paths.folder, tensorboard="top:4")
    assert runs_of(study) == best(study, 4)


def test_a_run_that_is_a_link_is_never_followed(tmp_path):
    study = searched(tmp_path, "all", trials=6)
    number = study.trials["number"].iloc[-1]
    elsewhere = tmp_path / "elsewhere"
    study.paths.run(number).rename(elsewhere)
    study.paths.run(number).symlink_to(elsewhere)
    with pytest.raises(XortuneError, match="is a link"):
        xortune.resume(study.paths.folder, tensorboard="top:1")
    assert len(list(elsewhere.iterdir())) == 1


def test_a_study_without_runs_says_how_to_write_them(tmp_path, capsys):
    study = searched(tmp_path, "none", trials=2)
    answer = call(capsys, "tensorboard", study.paths.folder)
    how = f"python -m xortune resume {study.paths.folder} --tensorboard all"
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"xortune: study one has no TensorBoard runs. Write them with: {how}\n"
    with pytest.raises(UsageError, match=r"xortune\.resume\(.*, tensorboard='all'\)"):
        study.tensorboard()
    answer = call(capsys, "tensorboard", "--results", tmp_path)
    assert answer.code == 2
    assert "no studies with TensorBoard runs" in answer.err


def test_what_is_printed_after_a_search_names_runs_only_if_there_are_some(tmp_path, capsys):
    words = ["search", "smoke", "--trials", 2, "--runner", "inline", "--results", tmp_path]
    none = call(capsys, *words, "--name", "a", "--tensorboard", "none").out
    some = call(capsys, *words, "--name", "b", "--tensorboard", "top:1").out
    assert re.findall("^(runs|browse) ", none, re.M) == []
    assert re.findall("^(runs|browse) ", some, re.M) == ["runs", "browse"]
    assert f"resume {tmp_path / 'b'} --tensorboard top:1 --trials 4" in some


def test_top_is_for_one_study(tmp_path, capsys):
    answer = call(capsys, "tensorboard", "--results", tmp_path, "--top", 3)
    assert answer.code == 2
    assert "--top 3: is for the trials of one study. Name a study." in answer.err


def test_a_port_that_is_taken_is_said(tmp_path):
    study = searched(tmp_path, "all", trials=1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = run("tensorboard", study.paths.folder, "--port", port)
    assert answer.code == 1
    assert f"TensorBoard cannot listen on port {port} of 127.0.0.1" in answer.err
    assert "or 0 for a free one" in answer.err
