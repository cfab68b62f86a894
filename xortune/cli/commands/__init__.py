"""The commands, in the order of the help, a file each.

`add` of a file adds the parsers of its commands. The default `run` of a parser is what runs the
command: it takes the parsed arguments and the screen, and returns the exit code, or None for 0. A
file imports what is heavy where it is used, since every command's help needs every file.
"""

from xortune.cli.commands import (
    best,
    check,
    compare,
    dashboard,
    draw,
    export,
    export_model,
    jobs,
    predict,
    report,
    search,
    submit,
    tensorboard,
)
from xortune.cli.commands import list as listing

COMMANDS = (
    search,
    check,
    listing,
    report,
    best,
    compare,
    predict,
    draw,
    export_model,
    tensorboard,
    dashboard,
    export,
    submit,
    jobs,
)
