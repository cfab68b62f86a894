"""Search-space files with faults: the text, and what the message must hold."""

from __future__ import annotations

_ALL = "lr, epochs, seed, loss_fn"

BAD_SPACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "misspelt parameter": (
        "parameters:\n  lr: {value: 1}\n  epoch: {value: 10}\n",
        ("parameters.epoch", "line 3", "'epoch'", "did you mean 'epochs'?", _ALL),
    ),
    "unknown parameter": (
        "parameters:\n  momentum: {value: 0.9}\n",
        ("parameters.momentum", "line 2", "unknown parameter 'momentum'", _ALL),
    ),
    "misspelt key of a parameter": (
        "parameters:\n  lr: {vale: 1}\n",
        ("parameters.lr.vale", "line 2", "did you mean 'value'?", "min, max, q, distribution"),
    ),
    "misspelt key of the file": (
        "parametres:\n  lr: {value: 1}\n",
        ("parametres", "line 1", "did you mean 'parameters'?"),
    ),
    "unknown distribution": (
        "parameters:\n  lr: {min: 0.1, max: 1.0, distribution: unifrom}\n",
        (
            "parameters.lr.distribution",
            "line 2",
            "'unifrom'",
            "did you mean 'uniform'?",
            "q_uniform",
        ),
    ),
    "distribution that others read both ways": (
        "parameters:\n  lr: {min: 0.1, max: 1.0, distribution: loguniform}\n",
        (
            "parameters.lr.distribution",
            "line 2",
            "'loguniform'",
            "log_uniform_values, whose min and max are the bounds",
            "or log_uniform, whose min and max are their natural logarithms",
        ),
    ),
    "quantised distribution that others read both ways": (
        "parameters:\n  epochs: {min: 1, max: 9, distribution: qloguniform}\n",
        ("'qloguniform' (did you mean q_log_uniform_values, ", ", or q_log_uniform, whose"),
    ),
    "logarithms of too much": (
        "parameters:\n  epochs: {min: 5, max: 25, distribution: q_log_uniform}\n",
        (
            "parameters.epochs.max",
            "line 2",
            "from 1 to 2147483647, found 72004899337",
            "25 is that of 7.20049e+10",
            "use q_log_uniform_values",
        ),
    ),
    "logarithm of what rounds to nothing": (
        "parameters:\n  epochs: {min: -1, max: 5, distribution: q_log_uniform}\n",
        ("parameters.epochs.min", "line 2", "above 0", "-1 is that of 0.367879", "of q 1 is 0"),
    ),
    "logarithm beyond all floats": (
        "parameters:\n  lr: {min: -5, max: 1000, distribution: log_uniform}\n",
        ("parameters.lr.max", "line 2", "1000 is that of inf", "use log_uniform_values"),
    ),
    "logarithms of fractions of an epoch": (
        "parameters:\n  epochs: {min: 5, max: 9, distribution: log_uniform}\n",
        ("parameters.epochs.distribution", "line 2", "use int_uniform, or q_log_uniform with q: 1"),
    ),
    "probabilities": (
        "parameters:\n  seed: {values: [1, 2], probabilities: [0.1, 0.9]}\n",
        ("parameters.seed.probabilities", "line 2", "every value is as likely as the others"),
    ),
    "mean without a distribution": (
        "parameters:\n  lr: {mu: 0.1, sigma: 1}\n",
        ("parameters.lr.mu", "parameters.lr.sigma", "not offered here; give min and max"),
    ),
    "nested parameters": (
        "parameters:\n  lr: {parameters: {inner: {value: 1}}}\n",
        ("parameters.lr.parameters", "line 2", "not offered here", "not nested"),
    ),
    "key of another library": (
        "parameters:\n  lr: {low: 0.1, high: 1.0}\n",
        ("'low' (did you mean 'min'?)", "'high' (did you mean 'max'?)"),
    ),
    "list for one value": (
        "parameters:\n  seed: {value: [1, 2]}\n",
        ("parameters.seed.value", "line 2", "one value, found [1, 2]", "write 'values: ...'"),
    ),
    "list for a parameter": (
        "parameters:\n  seed: [1, 2]\n",
        ("parameters.seed", "line 2", "found [1, 2]", "for several values write 'values: ...'"),
    ),
    "octal number": (
        "parameters:\n  epochs: {value: 0100}\n",
        ("parameters.epochs.value", "line 2", "reads 0100 as 64; write 64", "or 100 for"),
    ),
    "octal number in a list": (
        "parameters:\n  seed:\n    values:\n      - 1\n      - 010\n",
        ("parameters.seed.values[1]", "line 5", "reads 010 as 8; write 8", "or 10 for"),
    ),
    "number that is no octal one": (
        "parameters:\n  epochs: {value: 0890}\n",
        ("parameters.epochs.value", "line 2", "found '0890'", "write it as a number: 890"),
    ),
    "time for a number": (
        "parameters:\n  epochs: {min: 10, max: 3:20}\n",
        ("parameters.epochs.max", "line 2", "YAML reads 3:20 as 200; write 200"),
    ),
    "time for a fraction": (
        "parameters:\n  lr: {value: 1:30.5}\n",
        ("parameters.lr.value", "line 2", "YAML reads 1:30.5 as 90.5; write 90.5"),
    ),
    "hexadecimal number": (
        "parameters:\n  seed: {value: 0x10}\n",
        ("parameters.seed.value", "line 2", "YAML reads 0x10 as 16; write 16"),
    ),
    "binary number": (
        "parameters:\n  seed: {value: 0b11}\n",
        ("parameters.seed.value", "line 2", "YAML reads 0b11 as 3; write 3"),
    ),
    "underscores anywhere": (
        "parameters:\n  epochs: {value: 10_00}\n",
        ("parameters.epochs.value", "line 2", "YAML reads 10_00 as 1000; write 1000"),
    ),
    "a word that YAML takes for a truth": (
        "parameters:\n  loss_fn: {value: on}\n",
        ("parameters.loss_fn.value", "line 2", "YAML reads on as the truth value true", "a name"),
    ),
    "a trap and other faults": (
        "methods: grid\nparameters:\n  epochs: {min: 0100, max: 200}\n  lr: {value: -1}\n",
        ("has 3 faults", "methods (line 1)", "epochs.min (line 3)", "lr.value (line 4)"),
    ),
    "unknown key at the top": (
        "defaults: &d {min: 1, max: 2}\nparameters:\n  lr: *d\n",
        ("defaults", "line 1", "begin it with x- if it holds a template"),
    ),
    "parameters at the top": (
        "lr: {min: 1, max: 2}\n",
        ("lr", "line 1", "unknown key 'lr'; put it under 'parameters:'"),
    ),
    "int_uniform of fractions": (
        "parameters:\n  lr: {distribution: int_uniform, min: 0.5, max: 3}\n",
        ("parameters.lr", "line 2", "int_uniform needs whole numbers", "use uniform"),
    ),
    "merging no mapping": (
        "parameters:\n  lr: {<<: 3, value: 1}\n",
        ("parameters.lr.<<", "line 2", "expected a mapping or a list of mappings", "<<: *name"),
    ),
    "merging twice": (
        "x-a: &a {min: 1}\nparameters:\n  lr:\n    <<: *a\n    <<: *a\n    max: 2\n",
        ("parameters.lr.<<", "line 5", "appears twice", "<<: [*first, *second]"),
    ),
    "merging itself": (
        "parameters: &again\n  <<: *again\n",
        ("contains itself",),
    ),
    "merges that go round in a circle": (
        "x-a: &a\n  <<: {lr: &b {<<: *a}}\nparameters: *b\n",
        ("contains itself",),
    ),
    "merges that multiply": (
        "x-a: &a {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1}\n"
        "x-b: &b {<<: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]}\n"
        "x-c: &c {<<: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]}\n"
        "x-d: &d {<<: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]}\n"
        "parameters: {<<: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]}\n",
        ("more than 10000 values", "not a search space"),
    ),
    "distribution that is a list": (
        "parameters:\n  lr: {min: 0.1, max: 1.0, distribution: [uniform]}\n",
        ("parameters.lr.distribution", "line 2", "['uniform']", "q_log_uniform_values"),
    ),
    "distribution of another form": (
        "parameters:\n  lr: {min: 0.1, max: 1.0, distribution: categorical}\n",
        ("parameters.lr.distribution", "line 2", "categorical", "not min and max"),
    ),
    "min above max": (
        "parameters:\n  lr:\n    min: 2.0\n    max: 1.0\n",
        ("parameters.lr", "line 2", "min 2.0 is above max 1.0", "swap them"),
    ),
    "min without max": (
        "parameters:\n  lr: {min: 2.0}\n",
        ("parameters.lr", "line 2", "max is missing", "give min and max"),
    ),
    "value together with max": (
        "parameters:\n  lr: {value: 1, max: 2.0}\n",
        ("parameters.lr", "line 2", "value, max together", "give value, values, or min and max"),
    ),
    "nothing to choose from": (
        "parameters:\n  lr: {distribution: uniform}\n",
        ("parameters.lr", "line 2", "give value, values, or min and max"),
    ),
    "logarithm from 0": (
        "parameters:\n  lr: {min: 0, max: 1.0, distribution: log_uniform_values}\n",
        ("parameters.lr.min", "line 2", "a logarithm starts above 0", "found 0", "raise min"),
    ),
    "learning rate of 0": (
        "parameters:\n  lr: {value: 0}\n",
        ("parameters.lr.value", "line 2", "lr takes numbers above 0", "found 0"),
    ),
    "learning rates below 0": (
        "parameters:\n  lr: {min: -0.5, max: 1.0}\n",
        ("parameters.lr.min", "line 2", "lr takes numbers above 0", "found -0.5"),
    ),
    "learning rate beyond float32": (
        "parameters:\n  lr: {values: [0.1, 1e39]}\n",
        ("parameters.lr.values", "line 2", "up to 3.4e+38", "found 1e+39"),
    ),
    "no epochs": (
        "parameters:\n  epochs: {values: [10, 0]}\n",
        ("parameters.epochs.values", "line 2", "whole numbers from 1", "found 0"),
    ),
    "fraction of an epoch": (
        "parameters:\n  epochs: {value: 2.5}\n",
        ("parameters.epochs.value", "line 2", "whole numbers from 1", "found 2.5"),
    ),
    "epochs that may be fractions": (
        "parameters:\n  epochs: {min: 10, max: 20, distribution: uniform}\n",
        ("parameters.epochs.distribution", "line 2", "takes whole numbers", "use int_uniform"),
    ),
    "negative seed": (
        "parameters:\n  seed: {min: -1, max: 5}\n",
        ("parameters.seed.min", "line 2", "from 0 to 4294967295", "found -1"),
    ),
    "unknown loss function": (
        "parameters:\n  loss_fn: {value: bce_logits}\n",
        (
            "parameters.loss_fn.value",
            "line 2",
            "no choice 'bce_logits'",
            "did you mean 'bce_with_logits'?",
        ),
    ),
    "loss functions from min to max": (
        "parameters:\n  loss_fn: {min: bce, max: mse}\n",
        (
            "parameters.loss_fn",
            "line 2",
            "choices, not min and max",
            "values: [mse, bce, bce_with_logits]",
        ),
    ),
    "empty values": (
        "parameters:\n  lr: {values: []}\n",
        ("parameters.lr.values", "line 2", "a list of at least one value", "found []"),
    ),
    "values that are no list": (
        "parameters:\n  lr: {values: 0.1}\n",
        ("parameters.lr.values", "line 2", "a list of at least one", "write 'value: 0.1'"),
    ),
    "value twice": (
        "parameters:\n  lr: {values: [1, 2, 1.0]}\n",
        ("parameters.lr.values", "line 2", "given twice in [1, 2, 1.0]", "remove one"),
    ),
    "no multiple of q": (
        "parameters:\n  epochs: {min: 11, max: 19, q: 10, distribution: q_uniform}\n",
        ("parameters.epochs", "line 2", "no multiple of q 10", "min 11", "max 19"),
    ),
    "q of 0": (
        "parameters:\n  epochs: {min: 1, max: 19, q: 0, distribution: q_uniform}\n",
        ("parameters.epochs.q", "line 2", "q takes numbers above 0", "found 0"),
    ),
    "q far below the bounds": (
        "parameters:\n  lr: {min: 1.0, max: 3e38, q: 5e-324, distribution: q_uniform}\n",
        ("parameters.lr.q", "line 2", "5e-324"),
    ),
    "q without a grid": (
        "parameters:\n  lr: {min: 1.0, max: 2.0, q: 0.5}\n",
        ("parameters.lr.q", "line 2", "does not go with uniform", "use q_uniform"),
    ),
    "duplicate parameter": (
        "parameters:\n  lr: {value: 1}\n  lr: {value: 2}\n",
        ("parameters.lr", "line 3", "appears twice", "drop one"),
    ),
    "duplicate parameters block": (
        "parameters:\n  lr: {value: 1}\nparameters:\n  seed: {value: 2}\n",
        ("parameters", "line 3", "appears twice", "drop one"),
    ),
    "text for a number": (
        "parameters:\n  lr: {value: '0.1'}\n",
        ("parameters.lr.value", "line 2", "found '0.1'", "write it as a number: 0.1"),
    ),
    "truth for a number": (
        "parameters:\n  seed: {value: true}\n",
        ("parameters.seed.value", "line 2", "seed takes whole numbers", "found True"),
    ),
    "nothing for a number": (
        "parameters:\n  seed: {value: }\n",
        ("parameters.seed.value", "line 2", "seed takes whole numbers", "found nothing"),
    ),
    "date for a number": (
        "parameters:\n  seed: {value: 2001-01-01}\n",
        ("parameters.seed.value", "line 2", "reads 2001-01-01 as a date", "write a number"),
    ),
    "number for a parameter": (
        "parameters:\n  lr: 0.1\n",
        ("parameters.lr", "line 2", "expected a mapping", "found 0.1", "write 'value: ...'"),
    ),
    "list for the parameters": (
        "parameters: [lr]\n",
        ("parameters", "line 1", "expected a mapping", "found ['lr']", _ALL),
    ),
    "text for the file": (
        "hello\n",
        ("parameters", "expected a mapping", "found 'hello'"),
    ),
    "NaN": (
        "parameters:\n  lr: {value: .nan}\n",
        ("parameters.lr.value", "line 2", "lr takes numbers above 0", "found nan"),
    ),
    "infinity": (
        "parameters:\n  lr: {min: 1.0, max: .inf}\n",
        ("parameters.lr.max", "line 2", "lr takes numbers above 0", "found inf"),
    ),
    "negative infinity": (
        "parameters:\n  epochs: {min: -.inf, max: 10}\n",
        ("parameters.epochs.min", "line 2", "epochs takes whole numbers", "found -inf"),
    ),
    "integer beyond all floats": (
        f"parameters:\n  lr: {{value: 1{'0' * 400}}}\n",
        ("parameters.lr.value", "line 2"),
    ),
    "q beyond all floats": (
        f"parameters:\n  lr: {{min: 1, max: 2, q: 1{'0' * 400}, distribution: q_uniform}}\n",
        ("parameters.lr", "line 2"),
    ),
    "syntax error": (
        "parameters:\n  lr: {min: 1.0, max: 2\n  epochs: 3\n",
        ("line 3, column 9", "not valid YAML", "expected ',' or '}'"),
    ),
    "tab for an indent": (
        "parameters:\n\tlr: {value: 1}\n",
        ("line 2, column 1", "not valid YAML"),
    ),
    "undefined alias": (
        "parameters:\n  lr: *other\n",
        ("line 2, column 7", "not valid YAML", "'other'"),
    ),
    "two documents": (
        "parameters:\n  lr: {value: 1}\n---\nname: x\n",
        ("line 3, column 1", "not valid YAML"),
    ),
    "control character": (
        "parameters:\n  lr: {value: 1}\x07\n",
        ("not valid YAML",),
    ),
    "call of a Python function": (
        "parameters:\n  lr: {value: !!python/object/apply:os.getcwd []}\n",
        ("parameters.lr.value", "line 2", "python/object/apply:os.getcwd", "not a plain value"),
    ),
    "Python name": (
        "parameters:\n  lr: {value: !!python/name:os.getcwd ''}\n",
        ("parameters.lr.value", "line 2", "python/name:os.getcwd", "not a plain value"),
    ),
    "Python tuple": (
        "parameters:\n  lr: {values: !!python/tuple [1, 2]}\n",
        ("parameters.lr.values", "line 2", "python/tuple", "not a plain value"),
    ),
    "tag that does not fit": (
        "parameters:\n  lr: {value: !!int abc}\n",
        ("parameters.lr.value", "line 2", "int"),
    ),
    "tag of a truth that is none": (
        "parameters:\n  lr: {value: !!bool abc}\n",
        ("parameters.lr.value", "line 2", "bool"),
    ),
    "tag of a number on nothing": (
        "parameters:\n  lr: {value: !!float ''}\n",
        ("parameters.lr.value", "line 2", "float"),
    ),
    "alias to itself": (
        "parameters: &again\n  lr: *again\n",
        ("parameters.lr", "contains itself"),
    ),
    "list that contains itself": (
        "parameters:\n  lr: {values: &again [1, *again]}\n",
        ("parameters.lr.values[1]", "contains itself"),
    ),
    "aliases that multiply": (
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
        "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
        "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
        "e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n",
        ("more than 10000 values", "not a search space"),
    ),
    "list for a key": (
        "parameters:\n  ? [lr]\n  : {value: 1}\n",
        ("parameters", "line 2"),
    ),
    "deep nesting": ("[" * 1000, ()),
    "deep nesting that is closed": ("[" * 1000 + "]" * 1000, ()),
    "nothing at all": ("", ("the file is empty", "give at least one of " + _ALL)),
    "only a comment": ("# lr: 1\n", ("the file is empty", "give at least one of " + _ALL)),
    "empty parameters": ("parameters:\n", ("parameters", "line 1", "found nothing", _ALL)),
}
