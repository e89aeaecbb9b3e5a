"""A build whose texts were encoded by a real local Ray is the build that one process makes, byte for byte."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gmedbot.encoder import OnnxEncoder
from gmedbot.index.build import build_index
from gmedbot.index.store import Store
from gmedbot.settings import Settings

pytest.importorskip("ray", reason="needs the extra ray: pip install 'gmedbot[ray]'")
pytest.importorskip("pyarrow", reason="needs the extra ray: pip install 'gmedbot[ray]'")

from gmedbot.index.ray_build import RayEncoder

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", autouse=True)
def no_reports_to_ray() -> None:
    """Ray must not look for the network, and must find our code in its workers."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    source = str(Path(__file__).resolve().parents[2] / "src")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))


def test_a_ray_build_is_the_embedded_build_and_its_vectors_are_the_same_bits(
    small_settings: Settings, encoder: OnnxEncoder, own_index: Path
) -> None:
    before = Store(own_index).current_id()
    own = small_settings.changed(index=own_index)
    told: list[tuple[str, int, int]] = []
    report = build_index(own, lambda *step: told.append(step), full=True, engine="ray")
    assert report.encoded > 0
    assert report.build_id == before
    assert any(stage == "encode" and done == total for stage, done, total in told)


def test_no_texts_give_no_vectors_and_start_no_cluster(encoder: OnnxEncoder) -> None:
    import ray

    with RayEncoder(encoder) as workers:
        vectors = workers.encode([])
    assert vectors.shape == (0, encoder.card.dim)
    assert not ray.is_initialized()


def test_rows_come_back_in_the_order_of_the_texts(encoder: OnnxEncoder) -> None:
    texts = [f"hip abduction number {number}" for number in range(300)]
    counted: list[int] = []
    with RayEncoder(encoder, workers=2) as workers:
        vectors = workers.encode(texts, counted.append)
    np.testing.assert_array_equal(vectors[[0, 150, 299]], encoder.encode([texts[0], texts[150], texts[299]]))
    assert sum(counted) == 300
