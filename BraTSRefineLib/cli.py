"""The ``bratsrefine`` command: what a panel can do, a shell or a cluster can do too.

Exit codes: 0 done; 1 bad input or nothing could be done, one line on standard error says why; 2 wrong usage;
130 interrupted. With ``--json`` standard output holds JSON and nothing else; progress goes to standard error.
"""

from __future__ import annotations

import sys

import typer
from rich.markup import escape

from .commands import act, annotate, compare, correct, decisions, fusing, look, predict, scoring, show, uncertainty
from .commands.options import notes

app = typer.Typer(
    help="From a folder of brain-tumour predictions to a ranked, explained and fixable list of failures. "
    "For research use only, not for clinical decisions.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    look.cohort,
    scoring.score,
    look.rank,
    look.strata,
    compare.centers,
    compare.compare,
    look.report,
    predict.predict,
    fusing.fuse,
    fusing.fit_weights,
    act.postprocess,
    act.select,
    decisions.worklist,
    show.review,
    show.phantom,
    show.demo,
):
    app.command()(command)
app.add_typer(uncertainty.app, name="uncertainty")
app.add_typer(annotate.app, name="annotate")
app.add_typer(decisions.app, name="decisions")
for command in (correct.corrections, correct.correct):
    decisions.app.command()(command)


def main() -> None:
    """Run the command; an error of ours is one line, an error of the program keeps its trace."""
    try:
        app()
    except KeyboardInterrupt:
        notes.print("interrupted")
        sys.exit(130)
    except (ValueError, RuntimeError, OSError) as error:
        if not type(error).__module__.startswith("BraTSRefineLib"):
            raise
        notes.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
