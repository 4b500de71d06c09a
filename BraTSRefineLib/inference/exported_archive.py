"""What kind of file an exported program is, and whether loading it could do anything but load it.

Neither kind is safe to load as it comes. ``torch.jit.load`` unpickles in C++, where no Python can be named, but it runs
the program's own ``__setstate__`` at once, and two operators write files (``aten::save``, ``aten::from_file``).
``torch.export.load`` unpickles with ``weights_only=False`` every tensor that the archive marks ``use_pickle``, falls
back to that for the example inputs, evaluates expressions of sizes through sympy (which calls ``eval``), looks
operators up by any dotted name below ``torch`` and loads compiled libraries. So the archive is first read as plain zip,
JSON and text, and refused where it holds more than tensors, operators of ``aten`` and arithmetic of sizes.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from .model import InferenceError

ProgramKind = Literal["torchscript", "exported"]

WAY_OUT = "export it again from a network you trust: torch.export.save(torch.export.export(network, (tile,)), path)"

FORBIDDEN_WORDS = re.compile(
    rb"\b(?:save|from_file|rpc_async|rpc_sync|rpc_remote)\b|\btorch\.classes\b|(?<![\w.])ops\.(?!prim\b|aten\b)\w+"
)
"""In TorchScript code: operators that write files, and what torch's or another library's C++ adds to them."""

SPELLED_BY_PARTS = re.compile(rb"\bgetattr\b(?s:.*)(?:\\[xuUN0-7]|[\"']\s*[\"'])")
"""``getattr`` beside a string put together from parts or escapes, which could name one of them unseen."""

ALLOWED_TARGETS = re.compile(
    r"torch\.ops\.aten\.(?!from_file\b|save\b)\w+\.\w+"
    r"|torch\.ops\.higher_order\.wrap_with_set_grad_enabled"
    r"|_operator\.(getitem|add|sub|mul|floordiv|truediv|mod|neg|pow|eq|ne|lt|le|gt|ge|and_|or_|not_)"
    r"|torch\.sym_(int|float|not|max|min|sum|ite)|math\.(ceil|floor|trunc)"
)

SIZE_CHARACTERS = re.compile(r"[\w\s()+\-*/,=<>']*")
SIZE_WORDS = re.compile(
    r"\d+|[a-z]{1,4}\d+|Symbol|Integer|Rational|Add|Mul|Pow|Max|Min|Mod|PythonMod|FloorDiv|CleanDiv|CeilDiv"
    r"|Eq|Ne|Ge|Gt|Le|Lt|positive|nonnegative|integer|True|False|evaluate"
)
"""What sizes of any value are written with, as ``2*Symbol('s77', positive=True, integer=True)``."""

PLAIN_RECORDS = (
    r"data/weights/weight_\d+|data/constants/tensor_\d+|archive_format|archive_version|byteorder|\.data/\w+|version"
    r"|\.format_version|\.storage_alignment|extra/.*"
)
"""Raw tensors and the archive's own bookkeeping; extra files are read as text."""


def program_kind(path: Path) -> ProgramKind:
    """TorchScript or torch.export, by what the archive holds. Raises InferenceError for any other file."""
    if not path.is_file():
        raise InferenceError(f"{path}: no such file; give the exported program's path")
    if not zipfile.is_zipfile(path):
        raise InferenceError(f"{path}: neither TorchScript nor a torch.export program; {WAY_OUT}")
    with zipfile.ZipFile(path) as archive:
        full_names = archive.namelist()
    if len({name.lower() for name in full_names}) < len(full_names):  # torch would read the first, Python the last
        raise InferenceError(f"{path}: not loaded, it holds two files of one name; {WAY_OUT}")
    names = [name.split("/", 1)[-1] for name in full_names]
    if "archive_format" in names and any(re.fullmatch(r"models/[^/]+\.json", name) for name in names):
        return "exported"
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "torchscript"
    if "data.pkl" in names:
        raise InferenceError(
            f"{path}: a pickled network or a state dictionary, no program; describe weights with 'network' and "
            f"'weights', or {WAY_OUT}"
        )
    raise InferenceError(f"{path}: a zip file, but neither TorchScript nor a torch.export program; {WAY_OUT}")


def check_torchscript(path: Path) -> None:
    """Raises InferenceError where TorchScript code could do more than compute."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if "/code/" not in name.lower() or not name.lower().endswith(".py"):
                continue
            code = _read(archive, name, path)
            if found := FORBIDDEN_WORDS.search(code) or SPELLED_BY_PARTS.search(code):
                word = found.group().decode(errors="replace")[:40]
                raise InferenceError(f"{path}: not loaded, its code ({name}) uses '{word}'; {WAY_OUT}")


def check_exported(path: Path) -> None:
    """Raises InferenceError where a torch.export archive could do more than load tensors and operators of ``aten``."""
    with zipfile.ZipFile(path) as archive:
        for full_name in archive.namelist():
            name = full_name.split("/", 1)[-1]
            if name.startswith("models/"):
                _check_program(_json(archive, full_name, path), path)
            elif re.fullmatch(r"data/(weights|constants)/[^/]+_config\.json", name):
                _check_payload(_json(archive, full_name, path), path)
            elif name.startswith("data/sample_inputs/"):
                _check_tensors(_read(archive, full_name, path), path, name)
            elif not re.fullmatch(PLAIN_RECORDS, name):
                raise InferenceError(f"{path}: not loaded, it holds '{name}'; {WAY_OUT}")


def input_shape(path: Path) -> tuple[int | None, ...]:
    """The shape that an exported program takes, None where an axis may be of any size.

    Raises InferenceError where it takes anything but one tensor.
    """
    with zipfile.ZipFile(path) as archive:
        programs = [name for name in archive.namelist() if re.fullmatch(r"[^/]+/models/[^/]+\.json", name)]
        if len(programs) != 1:
            raise InferenceError(f"{path}: holds {len(programs)} programs, expected one; {WAY_OUT}")
        module = _json(archive, programs[0], path)["graph_module"]
    inputs = [entry["user_input"] for entry in module["signature"]["input_specs"] if "user_input" in entry]
    if len(inputs) != 1 or "as_tensor" not in inputs[0]["arg"]:
        raise InferenceError(f"{path}: takes {len(inputs)} inputs, expected one tensor of images; {WAY_OUT}")
    sizes = module["graph"]["tensor_values"][inputs[0]["arg"]["as_tensor"]["name"]]["sizes"]
    return tuple(size.get("as_int") for size in sizes)


def _check_program(program: dict[str, Any], path: Path) -> None:
    for key, value in _entries(program):
        if key == "target" and isinstance(value, str) and not ALLOWED_TARGETS.fullmatch(value):
            raise InferenceError(f"{path}: not loaded, it calls '{value[:80]}'; {WAY_OUT}")
        if key == "expr_str" and not _is_size(str(value)):
            raise InferenceError(f"{path}: not loaded, a size in it is '{str(value)[:80]}'; {WAY_OUT}")
        if isinstance(value, str) and "__enum__" in value:
            raise InferenceError(f"{path}: not loaded, it names Python types to import; {WAY_OUT}")


def _is_size(expression: str) -> bool:
    words = re.findall(r"\w+", expression)
    return bool(SIZE_CHARACTERS.fullmatch(expression)) and all(map(SIZE_WORDS.fullmatch, words))


def _check_payload(config: dict[str, Any], path: Path) -> None:
    for name, payload in config.get("config", {}).items():
        plain = re.fullmatch(r"(weight|tensor)_\d+", str(payload.get("path_name", "")))
        if payload.get("use_pickle") is not False or not plain:
            raise InferenceError(f"{path}: not loaded, '{name}' in it is pickled; {WAY_OUT}")


def _check_tensors(content: bytes, path: Path, name: str) -> None:
    import pickle

    import torch

    try:
        torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError):
        raise InferenceError(f"{path}: not loaded, '{name}' holds more than tensors; {WAY_OUT}") from None


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value of nested dictionaries and lists."""
    children = value.items() if isinstance(value, dict) else (("", item) for item in value)
    for key, child in children:
        yield key, child
        if isinstance(child, dict | list):
            yield from _entries(child)


def _json(archive: zipfile.ZipFile, name: str, path: Path) -> dict[str, Any]:
    try:
        return json.loads(_read(archive, name, path))
    except ValueError:
        raise InferenceError(f"{path}: damaged, '{name}' is not readable; copy it again") from None


def _read(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise InferenceError(f"{path}: damaged ({error}); copy it again") from None
