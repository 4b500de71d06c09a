"""Command line of the host: ``python -m BraTSRefine.Standalone --cohort FOLDER --workspace W``."""

import argparse
import faulthandler
import os
import sys
from pathlib import Path

PERSONS = ("clinician", "researcher", "annotator")


def main(arguments: list[str] | None = None) -> int:
    """Open the review; 0 when the window was closed or all pictures were written, 1 with one line on stderr."""
    options = _options(arguments)
    try:
        return _review(options)
    except (RuntimeError, ImportError, OSError) as error:
        print(f"Error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1


def _options(arguments) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m BraTSRefine.Standalone", description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", required=True, help="folder of the cohort, or its manifest")
    parser.add_argument("--workspace", required=True, help="folder that holds scores, maps, runs and decisions")
    parser.add_argument("--store", default="", metavar="URL", help="where decisions are kept, if not in the workspace")
    parser.add_argument("--offscreen", action="store_true", help="open no window; write screenshots and exit")
    parser.add_argument("--screenshots", metavar="DIR", help="where to write them (default: WORKSPACE/screenshots)")
    parser.add_argument("--walk", choices=PERSONS, help="replay that person's way through the module, a picture a step")
    parser.add_argument("--size", type=_size, default=(1600, 900), metavar="WxH", help="of the window, in pixels")
    parser.add_argument("--light", action="store_true", help="light colours instead of dark ones")
    parser.add_argument("--traceback", action="store_true", help="print the whole traceback of an error")
    return parser.parse_args(arguments)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write for example 1600x900")
    return int(width), int(height)


def _review(options) -> int:
    from .application import wantsOffscreen
    from .host import start
    from .review import openCohort

    faulthandler.enable()
    offscreen = options.offscreen or wantsOffscreen() or bool(options.walk)
    if offscreen and not options.traceback:
        sys.excepthook = lambda *_: None
    if offscreen and not options.offscreen:
        print("There is no display: the same window is rendered off-screen.")
    host = start(offscreen=offscreen, size=options.size, light=options.light)
    try:
        if not offscreen:
            host.widget.beginOpening(options.cohort, options.workspace, options.store)
            return host.run()
        openCohort(host, options.cohort, options.workspace, options.store)
        return _photograph(host, options)
    finally:
        host.close()


def _photograph(host, options) -> int:
    from .review import photograph

    folder = Path(options.screenshots or Path(options.workspace) / "screenshots")
    if options.walk:
        return _walk(host, options.walk, folder)
    for path in photograph(host, folder):
        print(path)
    return 0


def _walk(host, person: str, folder: Path) -> int:
    from .walks import replay

    steps = replay(host, person, folder)
    for step in steps:
        print(f"{step.picture}  {step}")
    keys, clicks = (sum(getattr(step, name) for step in steps) for name in ("keys", "clicks"))
    print(f"{person}: {keys} keys, {clicks} clicks, {sum(step.seconds for step in steps):.1f} s of the machine")
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # VTK's and Qt's static objects may be torn down in an order that crashes; everything of ours is closed by now.
    os._exit(status)
