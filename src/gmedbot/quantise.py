"""ONNX graphs made for serving: fused once, and in eight bits with the loud channels of their activations turned down.

A few channels of a transformer's activations are twenty to eighty times louder than the others. Eight bits a tensor then leave the
others three or four. What a matrix multiplies is divided by powers of two that the matrix is multiplied by (SmoothQuant, Xiao et al.
2023; powers of two change no bit of a float), so that the noise of the log-odds falls to a quarter (docs/decisions/0027).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["optimise", "quantise"]

Feeds = Mapping[str, NDArray[np.int64]]
Array = NDArray[np.float32]

#: How much of a channel's loudness goes from the activation to the weights, the rest stays; 0.65 to 0.8 were alike.
_SHARE = 0.8


def quantise(path: Path, target: Path, samples: Sequence[Feeds] = ()) -> None:
    """Write a graph with eight-bit weights, a scale for each channel, seven bits used so that AVX2 cannot overflow.

    Args: samples: inputs on which the loudness of the activations is measured; none leaves the channels as they are.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    root.setLevel(max(logging.ERROR, level))  # it advises what was done already
    try:
        with TemporaryDirectory(dir=target.parent) as room:
            evened, traced = Path(room) / "evened.onnx", Path(room) / "traced.onnx"
            if samples:
                _even_out(path, evened, samples)
            quantize_dynamic(
                str(evened if samples else path),
                str(traced),
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
            )
            optimise(traced, target)
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers  # its first message sets one up, which would print what other libraries note


def _even_out(path: Path, target: Path, samples: Sequence[Feeds]) -> None:
    """Write the graph with the loud channels of each multiplied activation turned down, and the weights' rows up."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    weights = {item.name: item for item in graph.initializer}
    linear = {node.name: node for node in graph.node if _is_linear(node, weights)}
    loudest = _loudest(path, sorted({node.input[0] for node in linear.values()}), samples)
    nodes: list[Any] = []
    for node in graph.node:
        if node.name in linear:
            matrix = numpy_helper.to_array(weights[node.input[1]])
            factors = _factors(loudest[node.input[0]], np.abs(matrix).max(axis=1))
            names = {kind: f"{node.name}:{kind}" for kind in ("down", "up", "evened")}
            graph.initializer.append(numpy_helper.from_array(1 / factors, names["down"]))
            graph.initializer.append(numpy_helper.from_array(matrix * factors[:, np.newaxis], names["up"]))
            nodes.append(helper.make_node("Mul", [node.input[0], names["down"]], [names["evened"]], names["evened"]))
            node.input[0], node.input[1] = names["evened"], names["up"]
        nodes.append(node)
    used = {name for node in nodes for name in node.input}
    kept = [item for item in graph.initializer if item.name in used]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.save(model, str(target))


def _is_linear(node: Any, weights: Mapping[str, Any]) -> bool:
    return bool(node.op_type == "MatMul" and node.input[1] in weights and len(weights[node.input[1]].dims) == 2)


def _factors(activation: Array, weight: Array) -> Array:
    """Powers of two, at least 1, by which each channel is turned down, (n_channels,)."""
    loudness = np.maximum(activation, 1e-3) ** _SHARE / np.maximum(weight, 1e-4) ** (1 - _SHARE)
    steps = np.maximum(np.round(np.log2(loudness / np.median(loudness))), 0)
    return np.exp2(steps).astype(np.float32)


def _loudest(path: Path, names: Sequence[str], samples: Sequence[Feeds]) -> dict[str, Array]:
    """The greatest size of each channel of some activations over all samples, by name."""
    found: dict[str, Array] = {}
    for values in _activations(path, names, samples):
        for name, value in zip(names, values, strict=True):
            size = np.abs(value.reshape(-1, value.shape[-1])).max(axis=0)
            found[name] = np.maximum(found[name], size) if name in found else size
    return found


def _activations(path: Path, names: Sequence[str], samples: Sequence[Feeds]) -> Iterator[list[Array]]:
    import onnx
    import onnxruntime
    from onnx import helper

    model = onnx.load(str(path))
    shown = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names]
    model.graph.output.extend(shown)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    with TemporaryDirectory(dir=path.parent) as room:
        onnx.save(model, str(Path(room) / "shown.onnx"))
        session = onnxruntime.InferenceSession(
            str(Path(room) / "shown.onnx"), options, providers=["CPUExecutionProvider"]
        )
        for feeds in samples:
            yield session.run(list(names), dict(feeds))


def optimise(traced: Path, path: Path) -> None:
    """Fuse the traced graph once, for any CPU, and write it with its weights beside it (``<name>.data``)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path)
    for key, value in (("file_name", f"{path.stem}.data"), ("min_size_in_bytes", "1024")):
        options.add_session_config_entry(f"session.optimized_model_external_initializers_{key}", value)
    onnxruntime.InferenceSession(str(traced), options, providers=["CPUExecutionProvider"])
    traced.unlink()
