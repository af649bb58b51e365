"""KServe's own client against a predictor.

  kserve_sdk.py URL BUNDLE

Predicts the example flows of the bundle in every way that the client can write them, and compares with what the
examples' features predict.
"""

import asyncio
import json
import os
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput


def main():
    url, bundle = sys.argv[1:]
    with open(os.path.join(bundle, "input-example.json"), encoding="utf-8") as file:
        examples = json.load(file)
    with open(os.path.join(bundle, "bundle.json"), encoding="utf-8") as file:
        name = json.load(file)["name"]
    asyncio.run(check(url, name, examples))


async def check(url, name, examples):
    names, examples = examples["names"], examples["examples"]
    vectors = np.array([example["features"] for example in examples])
    flows = [example["flow"] for example in examples]

    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await client.is_server_live(url) is True
    assert await client.is_model_ready(url, name) is True
    answer = await client.infer(url, {"instances": vectors.tolist()}, model_name=name)
    labels = answer["predictions"]
    assert set(labels) <= {0, 1} and len(labels) == len(vectors), answer
    assert (await client.infer(url, {"instances": flows}, model_name=name))["predictions"] == labels
    # That the client raises is what tells its user that there was an error.
    await refused(client.infer(url, {"instances": [[1]]}, model_name=name), 400)
    await refused(client.infer(url, {"instances": []}, model_name="nobody"), 404)
    await refused(client.is_model_ready(url, "nobody"), 404)
    await client.close()

    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url) is True
    assert await client.is_server_ready(url) is True
    assert await client.is_model_ready(url, name) is True
    assert await client.is_model_ready(url, "nobody") is False

    tried = 0
    for inputs in requests(names, vectors, flows):
        for binary_output in (None, False, True):
            parameters = None if binary_output is None else {"binary_data_output": binary_output}
            request = InferRequest(name, inputs(), request_id="7", parameters=parameters)
            answer = await client.infer(url, request, model_name=name)
            assert answer.id == "7" and answer.model_name == name, answer
            assert answer.get_output_by_name("label").as_numpy().tolist() == labels, answer
            tried += 1

    score = [RequestedOutput("score", {"binary_data": True}), RequestedOutput("label", {"binary_data": False})]
    request = InferRequest(name, matrix(vectors, "FP64", True), request_outputs=score)
    answer = await client.infer(url, request, model_name=name)
    assert [output.name for output in answer.outputs] == ["score", "label"], answer
    scores = answer.outputs[0].as_numpy()
    v1 = {"instances": vectors.tolist(), "parameters": {"scores": True}}
    expected = (await httpx.AsyncClient().post(f"{url}/v1/models/{name}:predict", json=v1)).json()["scores"]
    assert scores.dtype == np.float64 and scores.tolist() == expected, (scores, expected)

    await refused(client.infer(url, InferRequest(name, matrix(vectors[:, :1], "FP64", False)), model_name=name), 400)
    await refused(client.infer(url, InferRequest("x", matrix(vectors, "FP64", True)), model_name="nobody"), 404)
    await client.close()
    print(f"KServe's client: {tried} ways to ask for the labels of {len(vectors)} flows agree")


def requests(names, vectors, flows):
    """Ways to write the rows as inputs."""
    # A whole number may come as an integer, and a value that f32 holds as f32.
    datatypes = ["FP64"]
    datatypes += ["INT64"] if (vectors == np.trunc(vectors)).all() else []
    datatypes += ["FP32"] if (vectors == vectors.astype(np.float32)).all() else []
    for datatype in datatypes:
        for binary in (False, True):
            yield lambda datatype=datatype, binary=binary: matrix(vectors, datatype, binary)
    for binary in (False, True):
        yield lambda binary=binary: [column(name, values, binary) for name, values in zip(names, vectors.T)]
        yield lambda binary=binary: [texts("flows", flows, binary)]
    yield lambda: [InferInput("X", list(vectors.shape), "FP64", vectors.tolist())]


def matrix(vectors, datatype, binary):
    types = {"FP64": np.float64, "FP32": np.float32, "INT64": np.int64}
    tensor = InferInput("X", list(vectors.shape), datatype)
    tensor.set_data_from_numpy(vectors.astype(types[datatype]), binary_data=binary)
    return [tensor]


def column(name, values, binary):
    """A feature in the smallest datatype of three that holds its values, so that all of them occur."""
    if (values == np.trunc(values)).all():
        datatype, kind = "INT64", np.int64
    elif (values == values.astype(np.float32)).all():
        datatype, kind = "FP32", np.float32
    else:
        datatype, kind = "FP64", np.float64
    tensor = InferInput(name, [len(values)], datatype)
    tensor.set_data_from_numpy(np.ascontiguousarray(values.astype(kind)), binary_data=binary)
    return tensor


def texts(name, flows, binary):
    tensor = InferInput(name, [len(flows)], "BYTES")
    tensor.set_data_from_numpy(np.array([json.dumps(flow) for flow in flows], dtype=object), binary_data=binary)
    return tensor


async def refused(answer, status):
    try:
        received = await answer
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == status, error
        assert error.response.json()["error"] in str(error), error
    else:
        raise AssertionError(f"expected {status}, received {received}")


if __name__ == "__main__":
    main()
