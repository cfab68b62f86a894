"""The runs of a study that a crash left without some of them."""

import xortune
from tests.tensorboard.reading import DOMAINS, points, read


def test_a_missing_run_is_written_from_the_ledger_at_a_resume(tmp_path):
    """A crash can come between the ledger's entry and the run."""
    study = xortune.search(
        DOMAINS, trials=6, name="one", results=tmp_path, runner="inline", sampler="random",
        study_seed=5, log_every=10,
    )  # fmt: skip
    (file,) = study.paths.run(2).iterdir()
    file.rename(file.with_name(".partial"))
    xortune.resume(study.paths.folder, runner="inline")
    (again,) = study.paths.run(2).iterdir()
    assert again.name.startswith("events.out.tfevents.")
    reader = read(study.paths.folder, 2)
    curve = study.curves(2)
    assert points(reader, "loss/training") == list(zip(curve["epoch"], curve["training"]))
