"""Whisper through CTranslate2, encoding only the spoken window instead of Whisper's fixed 30 s.

The stock pipeline pads every request to 30 s. The encoder takes shorter input as well: the
utterance plus 1 s of silence, and never less than `MIN_WINDOW_S`, gives the same words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from voiceops.core.errors import ConfigurationError
from voiceops.inference.engines.base import EngineInfo, InvalidRequest, IsCancelled, Options, Recognised

RATE_HZ = 16_000
FRAME_SAMPLES = 160
TAIL_S = 1.0
"""Silence after the last sample; with none Whisper repeats itself."""
MIN_WINDOW_S = 3.0
"""Shorter windows make one-word answers repeat ("Yes Yes Yes"); measured with nine of them."""
MAX_WINDOW_S = 28.0
REPETITION_PENALTY = 1.1
"""Keeps one-word answers from being repeated. It also drops the second "to" or "the" of a long
sentence, so a longer utterance gets it only when its words loop."""
SHORT_S = 2.0
LOOP_REPEATS = 3
LOOP_WORDS = 6
SYLLABLES_PER_S = 5.0
"""More than people say of the same words twice, pauses left out: "Fail again." read slowly and written
twice is 6."""
ECHO_WORDS = 3
"""Words of a sentence that begins again, from which on it is taken for the decoder's own echo."""
TOKENS_PER_S = 8
"""Upper bound of spoken English and Hindi; the length limit of a decode."""
DOUBTFUL_LOGPROB = -0.7
"""A prompted decode below this is checked without its prompt: on noise the prompt's own words
come out at about -0.9, while real one-word answers reach -0.83."""
SILENCE_LOGPROB = -1.5
SILENCE_NO_SPEECH = 0.55
"""Noise, hum, clicks and silence decode unprompted below -1.6 and above 0.57; speech never both."""
LANGUAGES = frozenset({"en", "hi"})
SOUNDS_LIKE = {"ur": "hi"}
"""Spoken Urdu and spoken Hindi are one language to the ear."""
_STOPS = ".,?!"
_STUTTER = re.compile(r"([^\W\d])\1{7}")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
"""A prompt in Latin script turns unclear Hindi into the prompt's own words."""


@dataclass(frozen=True, slots=True)
class _Decode:
    text: str
    logprob: float
    """Mean per token."""
    no_speech: float


class Whisper:
    """`whisper_model`: a CTranslate2 model folder. `threads`: of one decode (default 1)."""

    def __init__(self, options: Options) -> None:
        folder = Path(options["whisper_model"])
        if not (folder / "model.bin").is_file():
            raise ConfigurationError(
                f"no Whisper model in {folder}: set VOICEOPS_WHISPER_MODEL to a CTranslate2 model folder"
            )
        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=int(options.get("threads", "1"))
            )
        except (RuntimeError, ValueError) as error:
            raise ConfigurationError(f"the Whisper model in {folder} does not load: {error}") from error
        self._tokenizers = {
            language: Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language=language)
            for language in LANGUAGES
        }
        self._vocabulary: dict[str, int] = self._model.hf_tokenizer.get_vocab()
        name = folder.name.removeprefix("faster-").removeprefix("whisper-")
        self.info = EngineInfo(
            engine=f"faster-whisper {name} (CTranslate2 int8)", languages=LANGUAGES, sample_rate_hz=RATE_HZ
        )

    def warm(self) -> None:
        noise = np.random.default_rng(0).normal(0, 0.01, RATE_HZ).astype(np.float32)
        self.transcribe(noise, language="en", hints=(), cancelled=lambda: False)

    def transcribe(
        self,
        audio: NDArray[np.float32],
        *,
        language: str,
        hints: Sequence[str],
        cancelled: IsCancelled,
        prefix: str = "",
        identify: bool = False,
    ) -> Recognised:
        """`prefix` is forced on the decoder, so that only the words after it cost decoding; it is left
        aside when the audio does not bear it out, or is longer than one window."""
        if language not in self._tokenizers:
            raise InvalidRequest(f"language {language!r}: use one of {', '.join(sorted(LANGUAGES))}")
        if not len(audio):
            return Recognised("", 0.0, 1.0)
        step = int((MAX_WINDOW_S - TAIL_S) * RATE_HZ)
        parts: list[Recognised] = []
        for start in range(0, len(audio), step):
            if cancelled():
                break
            known = prefix if len(audio) <= step else ""
            window = audio[start : start + step]
            parts.append(self._window(window, language, hints, cancelled, known, identify))
        spoken = [part for part in parts if part.text]
        scores = parts[0].language_scores if parts else {}
        if not spoken:
            return Recognised("", 0.0, max((part.no_speech for part in parts), default=1.0), scores)
        return Recognised(
            " ".join(part.text for part in spoken),
            min(part.confidence for part in spoken),
            min(part.no_speech for part in spoken),
            scores,
        )

    def _window(
        self,
        audio: NDArray[np.float32],
        language: str,
        hints: Sequence[str],
        cancelled: IsCancelled,
        prefix: str,
        identify: bool,
    ) -> Recognised:
        tokenizer = self._tokenizers[language]
        hints = [hint for hint in hints if _DEVANAGARI.search(hint)] if language == "hi" else hints
        encoded = self._model.encode(self._features(audio))
        if cancelled():
            return Recognised("", 0.0)
        scores = self._identify(encoded) if identify else {}
        length_s = spoken_s(audio)
        limit = 8 + math.ceil(len(audio) / RATE_HZ * TOKENS_PER_S)
        if prefix:
            decode = self._decode(encoded, tokenizer, limit, hints, 1.0, prefix)
            if decode.logprob >= DOUBTFUL_LOGPROB and not loops(decode.text):
                return self._recognised(decode, length_s, scores)
        penalty = REPETITION_PENALTY if len(audio) < SHORT_S * RATE_HZ else 1.0
        decode = self._decode(encoded, tokenizer, limit, hints, penalty)
        if penalty == 1.0 and loops(decode.text):
            decode = self._decode(encoded, tokenizer, limit, hints, REPETITION_PENALTY)
        plain = decode
        # Fewer words than seconds: in noise a prompt can end a decode at once ("1.").
        meagre = len(decode.text.split()) < length_s
        if hints and (meagre or decode.logprob < DOUBTFUL_LOGPROB):
            plain = self._decode(encoded, tokenizer, limit, (), REPETITION_PENALTY)
            if meagre and len(plain.text.split()) >= 2 * len(decode.text.split()):
                decode = plain
        if plain.logprob < SILENCE_LOGPROB and plain.no_speech > SILENCE_NO_SPEECH:
            return Recognised("", 0.0, plain.no_speech, scores)
        return self._recognised(decode, length_s, scores)

    def _recognised(self, decode: _Decode, length_s: float, scores: Mapping[str, float]) -> Recognised:
        confidence = math.exp(min(0.0, decode.logprob))
        return Recognised(once(decode.text, length_s), confidence, decode.no_speech, scores)

    def _identify(self, encoded: object) -> dict[str, float]:
        """What the window sounds like, over `LANGUAGES` only: one decoder step."""
        found = self._model.model.detect_language(encoded)[0]
        heard = {SOUNDS_LIKE.get(token[2:-2], token[2:-2]): 0.0 for token, _ in found}
        for token, probability in found:
            heard[SOUNDS_LIKE.get(token[2:-2], token[2:-2])] += probability
        known = {language: heard.get(language, 0.0) for language in sorted(LANGUAGES)}
        total = sum(known.values()) or 1.0
        return {language: round(share / total, 4) for language, share in known.items()}

    def _tokens(self, tokenizer: Tokenizer, text: str) -> list[int]:
        """Tokens as the decoder itself writes them: whole words wherever the vocabulary has them. The
        tokenizer's merges part even " the" in two."""
        tokens: list[int] = []
        for word in text.split():
            stem = word.rstrip(_STOPS)
            whole = self._vocabulary.get("Ġ" + stem)
            stops = [self._vocabulary.get(stop) for stop in word[len(stem) :]]
            if whole is None or None in stops:
                tokens += tokenizer.encode(" " + word)
            else:
                tokens += [whole, *(stop for stop in stops if stop is not None)]
        return tokens

    def _features(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-mel frames of the audio and its tail of silence, shape (mels, even frame count)."""
        window_s = max(len(audio) / RATE_HZ + TAIL_S, MIN_WINDOW_S)
        frames = int(window_s * RATE_HZ / FRAME_SAMPLES)
        frames += frames % 2
        padded = np.zeros((frames + 1) * FRAME_SAMPLES, np.float32)
        padded[: len(audio)] = audio
        features: NDArray[np.float32] = self._model.feature_extractor(padded)[:, :frames]
        return np.ascontiguousarray(features)

    def _decode(
        self,
        encoded: object,
        tokenizer: Tokenizer,
        limit: int,
        hints: Sequence[str],
        penalty: float,
        prefix: str = "",
    ) -> _Decode:
        previous = tokenizer.encode(" " + ", ".join(hints) + ".") if hints else []
        known = self._tokens(tokenizer, prefix)
        prompt = [*self._model.get_prompt(tokenizer, previous, without_timestamps=True), *known]
        result = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=1,
            max_length=min(len(prompt) + limit, self._model.max_length),
            repetition_penalty=penalty,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        # The forced words are part of the result.
        text = tokenizer.decode(result.sequences_ids[0]).strip()
        return _Decode(text, float(result.scores[0]), float(result.no_speech_prob))


def once(text: str, spoken_s: float) -> str:
    """`text` without a repetition of its own beginning: "My budget is one crore. My budget is" is a
    decoder that starts over. Callers do repeat a word, and two words when there was time for it."""
    words = text.split()
    keys = [re.sub(r"\W", "", word.lower()) for word in words]
    hurried = _syllables(text) > SYLLABLES_PER_S * spoken_s
    for start in range(2, len(keys) // 2 + 1 if hurried else 0):
        if keys == (keys[:start] * len(keys))[: len(keys)]:
            return " ".join(words[:start])
    for start in range(ECHO_WORDS, len(keys) - ECHO_WORDS + 1):
        again = keys[start:]
        if words[start - 1][-1] in _STOPS and len(again) <= start and again == keys[: len(again)]:
            return " ".join(words[:start])
    return text


def spoken_s(audio: NDArray[np.float32]) -> float:
    """About how long somebody speaks in it: the time above a quarter of its loudest parts."""
    frames = len(audio) // FRAME_SAMPLES
    if not frames:
        return 0.0
    loudness = np.sqrt(np.mean(audio[: frames * FRAME_SAMPLES].reshape(frames, FRAME_SAMPLES) ** 2, axis=1))
    loud = np.flatnonzero(loudness > 0.25 * np.percentile(loudness, 95))
    return float(len(loud)) * FRAME_SAMPLES / RATE_HZ


def _syllables(text: str) -> int:
    return len(re.findall(r"[aeiouy\u0904-\u0914\u093e-\u094c]+", text.lower()))


def loops(text: str) -> bool:
    """Whether one to six words stand three times or more in a row, or a letter eight times: a decoder
    that is stuck.

    Digits do not count: people do say "nine nine nine".
    """
    if _STUTTER.search(text):
        return True
    words = re.findall(r"\w+", text.lower())
    for size in range(1, LOOP_WORDS + 1):
        for start in range(len(words) - size * LOOP_REPEATS + 1):
            piece = words[start : start + size]
            if words[start : start + size * LOOP_REPEATS] == piece * LOOP_REPEATS and not all(
                word.isdigit() for word in piece
            ):
                return True
    return False
