"""``slicer.i18n`` without translations: every text is its own translation, as in an English Slicer."""


def translate(context: str, text: str) -> str:
    """The text, in the language of the application."""
    return text


def tr(text: str) -> str:
    """The text, in the language of the application; the context is the calling file."""
    return text


def getContext(sourceFile: str) -> str:
    """The translation context of a source file: its name without folder and suffix."""
    from pathlib import Path

    return Path(sourceFile).stem
