"""The process that listens, `python -m app.local.ears_worker`: the recogniser holds the interpreter's lock."""

from collections.abc import Callable

from app.local.pipe import Answer, Failed, Prepare, Prepared, Recognize, Recognized, Request, Unprepared, serve
from app.local.recognizer import Recognizer


def load() -> Callable[[Request], Answer]:
    """Return what answers the requests to the recogniser."""
    recognizer = Recognizer()

    def answer(request: Request) -> Answer:
        match request:
            case Prepare(id, key, sentences, pronunciations):
                return Prepared(id, tuple(recognizer.prepare(key, sentences, pronunciations)))
            case Recognize(id, key, pcm):
                if not recognizer.is_prepared(key):
                    return Unprepared(id)
                heard = recognizer.recognize(key, pcm)
                return Recognized(id, heard.understood, heard.ratio)
            case _:
                return Failed(request.id, "the recogniser was asked to speak")

    return answer


if __name__ == "__main__":
    serve(load)
