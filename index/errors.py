"""The errors Secondsight raises on purpose: each says what, where, and what to do about it."""

OLD_LIBRARY_ADVICE = "upgrade the library with: secondsight upgrade --library DIRECTORY"


class SecondsightError(Exception):
    """Root of every error a user can meet. `str(error)` is one line fit for a terminal."""


class SourceError(SecondsightError):
    """A file cannot be ingested. The run goes on; the inventory records the reason.

    `stage` is the pipeline stage that gave up ("discover", "probe", "frames", "speech", ...).
    """

    def __init__(self, path: str, stage: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.stage = stage
        self.reason = reason

    def __reduce__(self) -> tuple[type["SourceError"], tuple[str, str, str]]:
        """Pickle by arguments, so that the error crosses process borders whole."""
        return (type(self), (self.path, self.stage, self.reason))


class LibraryError(SecondsightError):
    """The library on disk cannot be opened, read or written as asked."""


class EmbedderMismatchError(LibraryError):
    """The library was embedded by another model than the one configured."""


class ModelMissingError(SecondsightError):
    """A model the configuration names is not on this machine."""


class SettingsError(SecondsightError):
    """The configuration is wrong: unknown key, wrong type, impossible value."""


class QuestionError(SecondsightError, ValueError):
    """A question, filter or option of a query is not usable as given."""


class BackendError(SecondsightError):
    """A model did not answer: it does not load, ran out of memory, or its server failed."""


class AnswerCutError(BackendError):
    """A server broke off in the middle of an answer."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}; {len(text):,} characters had come: {_opening(text)}")
        self.reason = reason
        self.text = text
        """All that had come."""

    def __reduce__(self) -> tuple[type["AnswerCutError"], tuple[str, str]]:
        """Pickle by arguments."""
        return (type(self), (self.reason, self.text))


class PromptTooLongError(BackendError):
    """A prompt has more tokens than the model reads.

    `tokens` are those of the prompt and the answer; `limit_tokens` is None where the model's server
    does not tell how many it takes.
    """

    def __init__(self, tokens: int, limit_tokens: int | None, advice: str) -> None:
        limit = "fewer" if limit_tokens is None else f"{limit_tokens:,}"
        super().__init__(
            f"the prompt and its answer take {tokens:,} tokens, the model reads {limit}; {advice}"
        )
        self.tokens = tokens
        self.limit_tokens = limit_tokens
        self.advice = advice

    def __reduce__(self) -> tuple[type["PromptTooLongError"], tuple[int, int | None, str]]:
        """Pickle by arguments."""
        return (type(self), (self.tokens, self.limit_tokens, self.advice))


_SHOWN_CHARS = 200


def _opening(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[:_SHOWN_CHARS]} …"
